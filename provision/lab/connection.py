"""How commands find a fleet's lab: FLEET/.provision/connection.json, there while the lab is up."""

from __future__ import annotations

import json
from pathlib import Path

from provision.lab.network import WORLD, namespace_path


def write_connection(fleet_dir: Path, *, lab: str, folder: Path) -> None:
    """Tell the fleet's commands to go to the lab in ``folder``."""
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


def ssh_config(folder: Path, *, hosts: dict[str, str]) -> str:
    """Text of an ssh configuration for the lab's machines; ``hosts`` is name to address."""
    blocks = [f"Host {name}\n  HostName {address}\n" for name, address in hosts.items()]
    return "".join(blocks) + (
        "Host *\n"
        "  User root\n"
        f"  IdentityFile {folder}/id_ed25519\n"
        "  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n"
        "  StrictHostKeyChecking yes\n"
        "  LogLevel ERROR\n"
    )
