"""An ssh_config(5) for OpenSSH that reaches hosts exactly as our own sessions do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provision.hosts.connection import Connection
from provision.hosts.target import Target
from provision.model.fleet import Host


def ssh_config(hosts: Sequence[Host], connection: Connection, *, folder: Path) -> str:
    """Pinned host keys, one shared connection per host, and a broken one noticed in seconds."""
    blocks = [_host(connection.target_of(host)) for host in hosts]
    key = connection.private_key
    identity = f"  IdentityFile {key}\n  IdentitiesOnly yes\n" if key else ""
    return "".join(blocks) + (
        "Host *\n"
        f"{identity}"
        f"  UserKnownHostsFile {connection.known_hosts.resolve()}\n"
        "  GlobalKnownHostsFile /dev/null\n"
        "  StrictHostKeyChecking yes\n"
        "  UpdateHostKeys no\n"
        "  BatchMode yes\n"
        "  ConnectTimeout 10\n"
        "  ServerAliveInterval 5\n"
        "  ServerAliveCountMax 6\n"
        "  ControlMaster auto\n"
        "  ControlPersist 60\n"
        f"  ControlPath {folder}/%C\n"
        "  ForwardAgent no\n"
        "  LogLevel ERROR\n"
    )


def _host(target: Target) -> str:
    return (
        f"Host {target.name}\n"
        f"  HostName {target.address}\n"
        f"  Port {target.port}\n"
        f"  User {target.user}\n"
    )
