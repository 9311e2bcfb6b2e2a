"""Around package runs: hold daemons back, and finish what a power cut or a failure left half done.

A package starts its daemon when it is configured, with Debian's configuration, unless
/usr/sbin/policy-rc.d forbids it (invoke-rc.d(8), deb-systemd-invoke(1p)). Ours carries a mark, so
that one left over by a power cut is known as ours; one of somebody else's is left alone.
"""

from __future__ import annotations

import os
from pathlib import Path

from .provision_commands import Outcome, run
from .provision_durable import Attributes, remove, sweep, write
from .provision_steps import Steps

POLICY = Path("/usr/sbin/policy-rc.d")
MARK = "# provision: daemons start when their own configuration is in place"
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
