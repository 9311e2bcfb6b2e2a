"""Host keys: what a host offers, its fingerprint, and pinning it in known_hosts (sshd(8))."""

from __future__ import annotations

import base64
import hashlib
import socket
from dataclasses import dataclass
from pathlib import Path

from provision.hosts.quick_paramiko import paramiko
from provision.hosts.session import CONNECT_SECONDS, unreachable
from provision.hosts.target import Target


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key as known_hosts writes it."""

    algorithm: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """``SHA256:...`` as ssh-keygen -l prints it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode()
        return "SHA256:" + digest.rstrip("=")

    def line(self, target: Target) -> str:
        """The line of known_hosts; another port than 22 is written ``[address]:port``."""
        plain = target.port == 22
        name = target.address if plain else f"[{target.address}]:{target.port}"
        return f"{name} {self.algorithm} {base64.b64encode(self.blob).decode()}\n"


def offered_key(target: Target) -> HostKey:
    """The key that a host offers now, without logging in. Raises HostUnreachable."""
    try:
        address = (target.address, target.port)
        with socket.create_connection(address, timeout=CONNECT_SECONDS) as stream:
            transport = paramiko.Transport(stream)
            try:
                transport.start_client(timeout=CONNECT_SECONDS)
                key = transport.get_remote_server_key()
            finally:
                transport.close()
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise unreachable(target, error) from error
    return HostKey(key.get_name(), key.asbytes())


def pin(key: HostKey, target: Target, known_hosts: Path) -> None:
    """Append the key to known_hosts, unless its line is there."""
    line = key.line(target)
    text = known_hosts.read_text() if known_hosts.exists() else ""
    if line in text.splitlines(keepends=True):
        return
    with known_hosts.open("a") as lines:
        lines.write(line if not text or text.endswith("\n") else f"\n{line}")
