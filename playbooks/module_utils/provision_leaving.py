"""What leaves after the files have left: packages, and system users that own nothing any more."""

from __future__ import annotations

import pwd

from .provision_commands import run
from .provision_layout import Layout
from .provision_owned import forget, owned
from .provision_removal import remove_packages, what_stands_against
from .provision_steps import Steps

_NO_DISKS = ("proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "securityfs")


def drop_packages(layout: Layout, names: list[str]) -> list[str]:
    """Remove those that an apply brought and nothing else needs; returns why others stay."""
    against = what_stands_against(set(names) & set(owned(layout)["packages"]))
    stay = [f"package {n} stays: {', '.join(why)}" for n, why in against.items() if why]
    going = [name for name, why in against.items() if not why]
    if not going:
        return stay
    Steps.before(f"remove packages {' '.join(going)}")
    failed = remove_packages(going)
    if failed:
        return [*stay, f"{', '.join(going)} could not be removed:", *failed]
    forget(layout, "packages", going)
    return stay


def drop_users(layout: Layout, names: list[str]) -> list[str]:
    """Remove those that an apply made and to whom nothing belongs; returns why others stay.

    One that stays is no longer ours to remove. It has no password and no shell, so it locks itself.
    """
    lines = []
    for name in sorted(set(names) & set(owned(layout)["users"])):
        reason = _why_it_stays(name)
        if reason:
            lines.append(f"user {name} stays: {reason}")
        forget(layout, "users", [name])
    return lines


def _why_it_stays(name: str) -> str:
    try:
        number = pwd.getpwnam(name).pw_uid
    except KeyError:
        return ""
    found = run("find", "/", *_pruned(), "-uid", str(number), "-print", "-quit", seconds=300)
    if found.output.strip():
        return f"{found.output.splitlines()[0]} is its own"
    if found.status == 124:
        return "it would take too long to look for files of its own"
    Steps.before(f"remove user {name}")
    removed = run("userdel", "--", name)
    return "" if removed.status == 0 else " ".join(removed.lines())


def _pruned() -> list[str]:
    """Arguments of find(1) by which file systems that are no disks are left out."""
    types = [word for kind in _NO_DISKS for word in ("-fstype", kind, "-o")]
    return ["(", *types[:-1], ")", "-prune", "-o"]
