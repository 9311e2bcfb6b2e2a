"""What opens a lab's machines: keys, known hosts, ssh configuration, FLEET's connection.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from provision.lab.authority import authority
from provision.lab.estate import Machine
from provision.lab.identity import known_host_line
from provision.lab.keys import ensure_key
from provision.lab.network import WORLD, namespace_path


def write_access(folder: Path, machines: Sequence[Machine]) -> None:
    """Make the lab's login key and write what ssh(1) needs to reach ``machines``."""
    folder.chmod(0o700)
    ensure_key(folder / "id_ed25519")
    (folder / "ca.pem").write_text(authority())
    (folder / "ssh_config").write_text(_ssh_config(folder, machines))
    lines = [known_host_line(m, folder=folder / "hosts" / m.name) for m in machines]
    (folder / "known_hosts").write_text("".join(lines))


def write_connection(fleet_dir: Path, *, lab: str, folder: Path) -> None:
    """Tell the fleet's commands to go to the lab in ``folder``, while it is up."""
    state = fleet_dir / ".provision"
    state.mkdir(exist_ok=True)
    state.chmod(0o700)
    document = {
        "version": 1,
        "netns": str(namespace_path(lab)),
        "resolver": WORLD,
        "user": "root",
        "private_key": str(folder / "id_ed25519"),
        "known_hosts": str(folder / "known_hosts"),
        "ca": str(folder / "ca.pem"),
    }
    scratch = state / "connection.json.new"
    scratch.write_text(json.dumps(document, indent=1) + "\n")
    scratch.rename(state / "connection.json")


def remove_connection(fleet_dir: Path) -> None:
    """Let the fleet's commands go to the real hosts again."""
    (fleet_dir / ".provision/connection.json").unlink(missing_ok=True)


def _ssh_config(folder: Path, machines: Sequence[Machine]) -> str:
    blocks = [f"Host {m.name} {m.fqdn}\n  HostName {m.address}\n" for m in machines]
    return "".join(blocks) + (
        "Host *\n"
        "  User root\n"
        f"  IdentityFile {folder}/id_ed25519\n"
        "  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n"
        "  StrictHostKeyChecking yes\n"
        "  ConnectTimeout 10\n"
        "  LogLevel ERROR\n"
    )
