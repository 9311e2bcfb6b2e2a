"""Packages: there, whole, and new enough."""

from __future__ import annotations

from typing import Any

from provision.model.fleet import Release
from provision.verify.backend import output
from provision.verify.outcome import require
from provision.verify.snapshot import Snapshot
from provision.verify.target import ReachedTarget

_LEAST = {
    Release.DEBIAN13: {
        "dovecot-core": "1:2.4.1+dfsg1-6+deb13u7",
        "postfix": "3.10.13-0+deb13u1",
        "roundcube-core": "1.6.21+dfsg-0+deb13u1",
    }
}
"""Oldest versions without a known hole that is open in our configuration (Debian changelogs)."""


def test_package_is_installed(snapshot: Snapshot, package: str) -> None:
    """Package {package} is installed."""
    require(
        package in snapshot.packages,
        f"{package} is not installed",
        hint="`provision apply` installs it.",
    )


def test_packages_are_configured(host: Any) -> None:
    """No package is half installed or unconfigured."""
    audit = output(host, "dpkg --audit")
    require(
        not audit,
        f"dpkg reports: {' '.join(audit.split())[:160]}",
        hint="Run `dpkg --configure -a` on the host, or `provision apply`.",
    )


def test_versions_have_no_known_holes(host: Any, target: ReachedTarget, snapshot: Snapshot) -> None:
    """Postfix, Dovecot and Roundcube are at versions without known holes."""
    for package, least in _LEAST[target.target.host.release].items():
        version = snapshot.packages.get(package, "0")
        require(
            host.run("dpkg --compare-versions %s ge %s", version, least).succeeded,
            f"{package} is {version}, the oldest safe version is {least}",
            hint=f"Run `apt-get update && apt-get install {package}` on the host.",
        )
