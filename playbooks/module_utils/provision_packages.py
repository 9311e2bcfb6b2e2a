"""Around package runs: hold daemons back, and finish what a power cut or a failure left half done.

A package starts its daemon when it is configured, with Debian's configuration, unless
/usr/sbin/policy-rc.d forbids it (invoke-rc.d(8), deb-systemd-invoke(1p)). Ours carries a mark, so
that one left over by a power cut is known as ours; one of somebody else's is left alone.

systemd asks no such policy at boot. So a host without a generation gets a condition on the units
that are yet to come (systemd.unit(5)): none of them starts before there is one, whenever the power
was cut. It is met as soon as the first generation is live, and leaves when that one is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .provision_commands import Outcome, run
from .provision_durable import Attributes, remove, remove_empty, sweep, write
from .provision_steps import Steps

POLICY = Path("/usr/sbin/policy-rc.d")
MARK = "# provision: daemons start when their own configuration is in place"
UNITS, BROUGHT = Path("/etc/systemd/system"), Path("/usr/lib/systemd/system")
"""Where the administrator's units are, and those of packages (systemd.unit(5))."""
_CONDITION = """\
# Until this host has a generation of its own, nothing serves with the configuration of a package.
[Unit]
ConditionPathExists=/var/lib/provision/current
"""
_DROP_IN = "provision-first.conf"
_KEEP = ("--force-confdef", "--force-confold")


def hold_daemons(policy: Path = POLICY) -> None:
    """Forbid packages to start daemons, unless somebody else decides on that here."""
    sweep(policy.parent)
    if not policy.exists():
        owner = Attributes(0o755, str(os.getuid()), str(os.getgid()))
        write(policy, f"#!/bin/sh\n{MARK}\nexit 101\n".encode(), owner)


def free_daemons(policy: Path = POLICY) -> None:
    """Take back what ``hold_daemons`` forbade."""
    if policy.exists() and MARK in policy.read_text(errors="replace"):
        remove(policy)


def hold_units(units: Iterable[str], folder: Path = UNITS, brought: Path = BROUGHT) -> None:
    """Let none of these units start while the host has no generation.

    One that is there already served before us, and goes on to after any boot.
    """
    owner = Attributes(0o644, str(os.getuid()), str(os.getgid()))
    for unit in units:
        path = folder / f"{unit}.d" / _DROP_IN
        if not any(found.exists() for found in (path, folder / unit, brought / unit)):
            write(path, _CONDITION.encode(), owner)


def free_units(folder: Path = UNITS) -> bool:
    """Take the conditions away; False when there are none, as on every host but a new one."""
    found = sorted(folder.glob(f"*.d/{_DROP_IN}"))
    for path in found:
        remove(path)
        remove_empty(path.parent)
    return bool(found)


def finish_interrupted() -> list[str]:
    """Configure what was left half done; returns what it said when something is still broken."""
    options = [f"-oDPkg::Options::={option}" for option in _KEEP]
    locked = "-oDPkg::Lock::Timeout=120"
    Steps.before("finish the interrupted package run")
    _dpkg("--configure", "-a", *_KEEP)
    fixed = _apt("--fix-broken", "--no-install-recommends", "-y", locked, *options, "install")
    return [] if fixed.status == 0 else fixed.lines()[-12:]


def _dpkg(*arguments: str) -> Outcome:
    return run("dpkg", *arguments, seconds=900, noninteractive=True)


def _apt(*arguments: str) -> Outcome:
    return run("apt-get", *arguments, seconds=900, noninteractive=True)
