"""What makes a machine itself: name, address, keys; written into its disk before every boot."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from provision.lab.estate import Machine
from provision.lab.keys import ensure_key
from provision.lab.network import LAB_NETWORK, PREFIX, WORLD, in_lab_network


def identity_files(
    machine: Machine, *, folder: Path, login_key: str, interface: str
) -> dict[str, tuple[str, int]]:
    """Absolute path to (text, mode). Keys and machine-id are made once, in ``folder``.

    ``login_key`` may log in as root; ``interface`` is what ``interface_text`` wrote.
    """
    short = machine.fqdn.partition(".")[0]
    host_key = folder / "ssh_host_ed25519_key"
    public = ensure_key(host_key)
    return {
        "/etc/hostname": (f"{short}\n", 0o644),
        "/etc/hosts": (
            f"127.0.0.1 localhost\n::1 localhost\n{machine.address} {machine.fqdn} {short}\n",
            0o644,
        ),
        "/etc/machine-id": (f"{_machine_id(folder)}\n", 0o444),
        "/etc/network/interfaces.d/host0": (interface, 0o644),
        "/etc/resolv.conf": (f"nameserver {WORLD}\n", 0o644),
        "/etc/ssh/ssh_host_ed25519_key": (host_key.read_text(), 0o600),
        "/etc/ssh/ssh_host_ed25519_key.pub": (f"{public}\n", 0o644),
        "/root/.ssh/authorized_keys": (f"{login_key}\n", 0o600),
    }


def known_host_line(machine: Machine, *, folder: Path) -> str:
    """The machine's line for a known_hosts file (sshd(8)), by address and by name."""
    key_type, key = ensure_key(folder / "ssh_host_ed25519_key").split()[:2]
    return f"{machine.address},{machine.fqdn},{machine.name} {key_type} {key}\n"


def interface_text(address: str, *, extra: Sequence[str], neighbours: Sequence[str]) -> str:
    """The machine's network settings (interfaces(5)): no gateway, so that nothing leaves the lab.

    ``extra`` are further addresses of its own. ``neighbours`` are machines at addresses of the
    world outside, as a real fleet has them; they are on the same wire, too.
    """
    lines = ["auto host0", "iface host0 inet static"]
    if in_lab_network(address):
        lines.append(f"    address {address}/{PREFIX}")
    else:
        lines += [f"    address {address}/32", f"    up ip route add {LAB_NETWORK} dev host0"]
    lines += [f"    up ip address add {other}/{PREFIX} dev host0" for other in extra]
    lines += [f"    up ip route add {other}/32 dev host0" for other in neighbours]
    return "\n".join(lines) + "\n"


def _machine_id(folder: Path) -> str:
    path = folder / "machine-id"
    if not path.exists():
        path.write_text(secrets.token_hex(16))
    return path.read_text()
