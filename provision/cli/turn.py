"""A command's turn on its hosts: their locks, and a plan that still holds under them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from provision.apply.lock_wish import Wish
from provision.apply.locking import Locks, locked
from provision.apply.outcome import HostOutcome, of_error
from provision.apply.permission import refused
from provision.apply.request import HostWork, Stamp
from provision.cli.looking import Looking
from provision.cli.printing import tell
from provision.plan.change import HostPlan, Plan
from provision.plan.staleness import host_moves
from provision.plan.state import HostState


@dataclass(slots=True)
class Turn:
    """What may be done now. ``plan`` differs from the one given when a host has moved meanwhile."""

    plan: Plan
    works: dict[str, HostWork] = field(default_factory=dict)
    """Those that change, by name, in the order of the fleet."""
    fresh: tuple[HostPlan, ...] = ()
    """What was planned anew under the locks and is taken without anybody's review."""
    refusals: list[HostOutcome] = field(default_factory=list)

    def why_not(self, canary: str | None) -> str:
        """Why no host may be started: the one that was to go first cannot. Empty: they may."""
        is_out = canary in {outcome.host for outcome in self.refusals}
        return f"the canary {canary} was refused" if is_out else ""


@contextmanager
def turn(
    looking: Looking, plan: Plan, stamp: Stamp, wish: Wish, allowed: AbstractSet[str] | None
) -> Iterator[Turn]:
    """Hold every host that changes for a block; one whose lock is refused is left out.

    Where another apply was at work meanwhile the host is looked at again, under the lock. When its
    plan is another one by then: one that was reviewed is stale. With ``allowed``, the permissions
    of a command that nobody reviews (None: somebody has), the new one is taken, and is among the
    ``fresh`` ones for the caller to show.
    """
    changing = [host.host for host in plan.hosts if not host.is_empty]
    hosts = [looking.desired.bundles[name].host for name in changing]
    targets = [looking.connection.target_of(host) for host in hosts]
    with locked(targets, looking.connection, stamp, wish, tell) as locks:
        mine = Turn(plan, refusals=list(locks.refusals.values()))
        states = dict(looking.survey.states)
        if moved := moved_hosts(plan, locks):
            _look_again(looking, mine, moved, states, allowed)
        out = {outcome.host for outcome in mine.refusals}
        mine.works = {
            host.host: HostWork(looking.desired.bundles[host.host], states[host.host], host)
            for host in mine.plan.hosts
            if not host.is_empty and host.host not in out
        }
        yield mine


def moved_hosts(plan: Plan, locks: Locks) -> tuple[str, ...]:
    """Hosts that have a lock now, and on which another apply ended since they were looked at."""
    known = {host.host: host.generation for host in plan.hosts}
    return tuple(
        name
        for name, generation in locks.generations.items()
        if name in locks.waited or generation != known[name]
    )


def _look_again(
    looking: Looking,
    mine: Turn,
    moved: tuple[str, ...],
    states: dict[str, HostState],
    allowed: AbstractSet[str] | None,
) -> None:
    found = looking.again(moved)
    mine.refusals += [of_error(name, error) for name, error in found.failures.items()]
    states.update(found.states)
    before = {host.host: host for host in mine.plan.hosts}
    fresh = {h.host: h for h in found.plan.hosts if _digest(h) != _digest(before[h.host])}
    if not fresh:
        return
    if allowed is None:
        mine.refusals += [_stale(before[name], host) for name, host in fresh.items()]
        return
    mine.plan = replace(mine.plan, hosts=tuple(fresh.get(h.host, h) for h in mine.plan.hosts))
    mine.fresh = tuple(fresh.values())
    out = {outcome.host for outcome in mine.refusals}
    mine.refusals += [o for o in refused(mine.plan, allowed) if o.host not in out]


def _digest(host: HostPlan) -> str:
    return Plan((host,)).digest()


def _stale(before: HostPlan, now: HostPlan) -> HostOutcome:
    lines = tuple(host_moves(before, now))
    return HostOutcome(now.host, "refused", "the plan is stale: another apply came first", lines)
