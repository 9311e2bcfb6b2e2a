"""Host keys: what a host offers, its fingerprint, and pinning it in known_hosts (sshd(8))."""

from __future__ import annotations

import base64
import hashlib
import socket
from dataclasses import dataclass
from pathlib import Path

import paramiko

from provision.hosts.session import CONNECT_SECONDS, unreachable
from provision.model.fleet import Host


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

    def line(self, host: Host) -> str:
        """The line of known_hosts; another port than 22 is written ``[address]:port``."""
        name = host.address if host.ssh_port == 22 else f"[{host.address}]:{host.ssh_port}"
        return f"{name} {self.algorithm} {base64.b64encode(self.blob).decode()}\n"


def offered_key(host: Host) -> HostKey:
    """The key that a host offers now, without logging in. Raises HostUnreachable."""
    try:
        address = (host.address, host.ssh_port)
        with socket.create_connection(address, timeout=CONNECT_SECONDS) as stream:
            transport = paramiko.Transport(stream)
            try:
                transport.start_client(timeout=CONNECT_SECONDS)
                key = transport.get_remote_server_key()
            finally:
                transport.close()
    except (OSError, paramiko.SSHException) as error:
        raise unreachable(host, error, user=host.ssh_user) from error
    return HostKey(key.get_name(), key.asbytes())


def pin(key: HostKey, host: Host, known_hosts: Path) -> None:
    """Append the key to known_hosts, unless its line is there."""
    line = key.line(host)
    text = known_hosts.read_text() if known_hosts.exists() else ""
    if line in text.splitlines(keepends=True):
        return
    with known_hosts.open("a") as lines:
        lines.write(line if not text or text.endswith("\n") else f"\n{line}")
