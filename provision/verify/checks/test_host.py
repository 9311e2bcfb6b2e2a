"""The machine itself: release, clock, disk."""

from __future__ import annotations

import time
from typing import Any

from provision.model.fleet import Release
from provision.render.dovecot import MAIL_FOLDER
from provision.verify.backend import output
from provision.verify.outcome import require
from provision.verify.snapshot import Snapshot
from provision.verify.target import ReachedTarget

_VERSION_ID = {Release.DEBIAN13: "13"}
_CLOCK_SECONDS = 30
"""TOTP, Kerberos and DKIM timestamps allow minutes; a synchronised clock is within a second."""
_FULL_PERCENT = 95


def test_release_is_the_declared_one(target: ReachedTarget, snapshot: Snapshot) -> None:
    """The host runs the Debian release that the spec declares."""
    release = target.target.host.release
    lines = snapshot.release.replace('"', "").splitlines()
    require(
        f"VERSION_ID={_VERSION_ID[release]}" in lines and "ID=debian" in lines,
        f"the spec says {release}, the host says {_pretty_name(lines)}",
        hint="Correct `release:` of the host in fleet.yml.",
    )


def test_clock_is_right(snapshot: Snapshot) -> None:
    """The host's clock agrees with ours."""
    offset = snapshot.clock - time.time()
    require(
        abs(offset) < _CLOCK_SECONDS,
        f"the clock is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}",
        hint="Certificates and logs depend on it: look at `timedatectl` on the host.",
    )


def test_disks_have_room(host: Any) -> None:
    """No disk that holds mail, the queue or configuration is full."""
    places = f"/etc {MAIL_FOLDER} /var/lib /var/spool/postfix /var/log /tmp"
    for field, thing in (("pcent", "space"), ("ipcent", "inodes")):
        out = output(host, f"df --output=target,{field} {places} 2>/dev/null || true")
        for mount, used in (line.split() for line in out.splitlines()[1:]):
            percent = used.rstrip("%")
            require(
                not percent.isdigit() or int(percent) < _FULL_PERCENT,
                f"{mount} has used {used} of its {thing}",
                hint="A full disk defers all mail: make room or grow it.",
            )


def test_host_resolves_names(host: Any, target: ReachedTarget) -> None:
    """The host finds its own name in the DNS: mail to others needs an answer."""
    name = target.target.host.fqdn.name
    answer = host.run("getent -s dns ahosts %s", name)
    require(
        answer.succeeded and answer.stdout.strip(),
        f"the host does not find {name} in the DNS",
        hint="Look at /etc/resolv.conf on the host, and whether its name server answers.",
    )


def _pretty_name(lines: list[str]) -> str:
    return next((line[12:] for line in lines if line.startswith("PRETTY_NAME=")), "nothing")
