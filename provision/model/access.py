"""What touches access to a host: a mistake in it may lock everybody out, us included.

A change of it goes back by itself unless it is confirmed over a new connection (decision 0013).
"""

from __future__ import annotations

from collections.abc import Iterable

FIREWALL_UNIT = "provision-firewall.service"
_UNITS = frozenset(
    {
        FIREWALL_UNIT,
        "NetworkManager.service",
        "networking.service",
        "nftables.service",
        "ssh.service",
        "ssh.socket",
        "sshd.service",
        "systemd-networkd.service",
        "systemd-resolved.service",
    }
)
_FOLDERS = (
    "/etc/network/",
    "/etc/netplan/",
    "/etc/nftables",
    "/etc/pam.d/",
    "/etc/provision/firewall",
    "/etc/security/",
    "/etc/ssh/",
    "/etc/sudoers",
    "/etc/systemd/network/",
    "/root/.ssh/",
)
_GROUPS = frozenset({"adm", "root", "shadow", "sudo", "wheel"})


def unit_touches_access(unit: str) -> bool:
    """True for a unit that decides who reaches the host: SSH, firewall, network."""
    return unit in _UNITS


def file_touches_access(path: str, units: Iterable[str]) -> bool:
    """True for a file that such a unit reads, or that decides about logins by where it is."""
    name = path.removeprefix("/etc/systemd/system/").split("/")[0].removesuffix(".d")
    return path.startswith(_FOLDERS) or name in _UNITS or any(map(unit_touches_access, units))


def groups_touch_access(groups: Iterable[str]) -> bool:
    """True when a member of these groups may become root or read what root may."""
    return bool(groups_of_power(groups))


def groups_of_power(groups: Iterable[str]) -> list[str]:
    """Those of these groups whose members may become root or read what root may, sorted."""
    return sorted(_GROUPS.intersection(groups))
