"""Whether a plan may be applied: what speaks against it, minus what the person has allowed."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from provision.apply.outcome import HostOutcome
from provision.plan.change import HostPlan, Plan
from provision.plan.show import objection_words


def refused(plan: Plan, allowed: AbstractSet[str]) -> tuple[HostOutcome, ...]:
    """The outcome of every host that would change, when one is refused; empty: go on.

    ``allowed`` are flags such as ``--allow-removals``. One host that is objected to stops all: half
    a fleet with a mistake is worse than none.
    """
    lines = {host.host: _lines(host, allowed) for host in plan.hosts if not host.is_empty}
    if not any(lines.values()):
        return ()
    return tuple(_outcome(host, found) for host, found in lines.items())


def _lines(host: HostPlan, allowed: AbstractSet[str]) -> tuple[str, ...]:
    return tuple(
        objection_words(objection) for objection in host.objections if objection.flag not in allowed
    )


def _outcome(host: str, lines: tuple[str, ...]) -> HostOutcome:
    message = "the plan is unsafe" if lines else "the plan of another host is unsafe"
    return HostOutcome(host, "refused", message, lines)
