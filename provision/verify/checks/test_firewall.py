"""The firewall: what filters now is what the spec asks for."""

from __future__ import annotations

from collections.abc import Mapping

from provision.verify.outcome import require
from provision.verify.snapshot import Snapshot
from provision.verify.target import ReachedTarget

_HINT = "`systemctl reload provision-firewall` on the host loads it; find out what changed it."


def test_firewall_is_live(target: ReachedTarget, snapshot: Snapshot) -> None:
    """The host filters packets by exactly the rules that the spec asks for."""
    if target.target.host.firewall is None:
        return
    found = snapshot.firewall
    require(found["live"], "no firewall of ours is loaded", hint=_HINT)
    require(
        found["live"] == found["wanted"],
        f"the live rules are not those of the file: {_first_difference(found)}",
        hint=_HINT,
    )


def _first_difference(found: Mapping[str, str]) -> str:
    live, wanted = (found[side].splitlines() for side in ("live", "wanted"))
    extra = [line.strip() for line in live if line not in wanted]
    missing = [line.strip() for line in wanted if line not in live]
    if missing:
        return f"{missing[0]!r} is missing"
    return f"{extra[0]!r} was added" if extra else "their order is another"
