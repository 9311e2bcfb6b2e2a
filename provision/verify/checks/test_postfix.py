"""Postfix: its configuration means what it says, and every map answers.

``postfix check`` accepts a misspelt parameter and a missing map with status 0; standard error of
``postconf -n`` and a look-up in each map do not (postconf(1), postmap(1)).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from provision.verify.outcome import require, require_none
from provision.verify.snapshot import Snapshot

_MAP = re.compile(r"\b(?:cdb|lmdb|hash|btree|texthash|regexp|pcre|cidr):(/[^\s,{}()]+)")
_PROBE = "provision-probe"


def test_postfix_understands_all_settings(snapshot: Snapshot) -> None:
    """Postfix reads its configuration without a warning."""
    for printed in (snapshot.postconf, snapshot.postconf_services):
        require(
            printed.status == 0 and not printed.err.strip(),
            f"postconf says: {' '.join(printed.err.split())[:200]}",
            hint="A misspelt setting is silently left out: `provision plan` shows what changed.",
        )


def test_maps_answer(host: Any, snapshot: Snapshot) -> None:
    """Every map that Postfix names can be read and answers."""
    wrong = []
    for table in named_maps(snapshot.postconf.out + snapshot.postconf_services.out):
        answer = host.run("postmap -q %s %s", _PROBE, table)
        if answer.rc > 1 or answer.stderr.strip():
            wrong.append(f"{table} does not answer: {' '.join(answer.stderr.split())[-160:]}")
    require_none(wrong, hint="Mail is deferred while a map is missing: run `provision apply`.")


def test_no_system_user_receives(snapshot: Snapshot) -> None:
    """No mail is delivered to system users: only to mailboxes of sites."""
    value = snapshot.postfix_settings.get("mydestination", "(default)")
    require(value == "", f"mydestination is {value}", hint="It must be set, and empty.")


def test_only_the_host_itself_is_trusted(snapshot: Snapshot) -> None:
    """Postfix trusts no network but the loopback."""
    value = snapshot.postfix_settings.get("mynetworks", "(default)")
    networks = [part.strip("[]").replace("]", "") for part in re.split(r"[\s,]+", value) if part]
    wrong = [f"mynetworks has {network}" for network in networks if not _is_loopback(network)]
    require_none(wrong, hint="Whoever is in mynetworks may be treated as one of ours.")


def named_maps(settings: str) -> list[str]:
    """The tables in files that settings name; a folder that stands before others is none."""
    found = {match[0] for match in _MAP.finditer(settings)}
    return sorted(one for one in found if not any(other.startswith(f"{one}/") for other in found))


def _is_loopback(network: str) -> bool:
    try:
        return ipaddress.ip_network(network, strict=False).is_loopback
    except ValueError:
        return False
