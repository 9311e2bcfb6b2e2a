"""Find out where this machine gets Debian from, so that the lab uses the same mirror."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from provision.errors import ProvisionError
from provision.lab.programs import run

_RELEASE_FILE = re.compile(r"'(?P<uri>[^']+)/dists/(?P<suite>[^']+)/InRelease'")
_SUITE = re.compile(
    r"(?:stretch|buster|bullseye|bookworm|trixie|forky|oldstable|stable|testing)"
    r"(?P<pocket>-security|/updates|-updates)?"
)
_CARRIED = re.compile(r"Acquire::(?:https?::|Check-Valid-Until |Check-Date |Retries |By-Hash )")


MIRROR_HINT = "the mirror is the one of apt's own configuration, or $PROVISION_LAB_MIRROR"


@dataclass(frozen=True, slots=True)
class Mirror:
    """Addresses of a Debian mirror, and the apt settings needed to reach it."""

    debian: str
    security: str
    settings: str
    """Lines of apt.conf(5): proxies and checks, as this machine has them."""


def find_mirror() -> Mirror:
    """The mirror of this machine's apt; raises ProvisionError when there is none.

    $PROVISION_LAB_MIRROR and $PROVISION_LAB_SECURITY_MIRROR win over apt's configuration.
    """
    debian, security = parse_uris(run(["apt-get", "update", "--print-uris"]))
    debian = os.environ.get("PROVISION_LAB_MIRROR") or debian
    if not debian:
        raise ProvisionError(
            "this machine's apt is not configured for a Debian mirror",
            hint="name one: PROVISION_LAB_MIRROR=http://MIRROR/debian provision lab up",
        )
    security = (
        os.environ.get("PROVISION_LAB_SECURITY_MIRROR")
        or security
        or debian.rstrip("/") + "-security"
    )
    return Mirror(debian, security, carried_settings(run(["apt-config", "dump"])))


def parse_uris(text: str) -> tuple[str | None, str | None]:
    """Debian's and its security archive's URI from ``apt-get update --print-uris``, or None.

    Other vendors name their suites after Debian's: Debian's own archive has its -updates, too.
    """
    pockets: dict[str, set[str]] = {}
    for found in _RELEASE_FILE.finditer(text):
        suite = _SUITE.fullmatch(found["suite"])
        if suite:
            pockets.setdefault(found["uri"], set()).add(suite["pocket"] or "")
    security = [uri for uri, has in pockets.items() if has & {"-security", "/updates"}]
    archives = [uri for uri, has in pockets.items() if "" in has]
    archives.sort(key=lambda uri: "-updates" not in pockets[uri])  # else the first is as good
    return next(iter(archives), None), next(iter(security), None)


def carried_settings(dump: str) -> str:
    """The lines of ``apt-config dump`` that a fresh apt needs to reach the same mirror."""
    return "".join(f"{line}\n" for line in dump.splitlines() if _CARRIED.match(line))
