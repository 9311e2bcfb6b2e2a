"""In which order hosts are applied to: one alone first, the others in batches behind it."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from provision.apply.outcome import HostOutcome, not_started
from provision.plan.change import Plan

DEFAULT_BATCH = 10
_SIZE = re.compile(r"([1-9][0-9]{0,5})(%?)")


@dataclass(frozen=True, slots=True)
class BatchSize:
    """How many hosts are applied to at the same time: a number, or a share of those that change."""

    number: int
    is_percent: bool = False

    @classmethod
    def parse(cls, text: str) -> BatchSize:
        """``5`` or ``25%``. Raises ValueError for anything else, 0 and more than 100 % too."""
        match = _SIZE.fullmatch(text)
        if match is None or (match[2] and int(match[1]) > 100):
            raise ValueError(text)
        return cls(int(match[1]), bool(match[2]))

    def of(self, count: int) -> int:
        """The size for so many hosts that change; a share is rounded down, at least one."""
        return max(1, count * self.number // 100) if self.is_percent else self.number


@dataclass(frozen=True, slots=True)
class Batch:
    """Hosts that are applied to at the same time."""

    hosts: tuple[str, ...]
    is_canary: bool = False


@dataclass(frozen=True, slots=True)
class Rollout:
    """How an apply goes through its hosts."""

    canary: str | None = None
    """The host that goes first; None: the first one that changes."""
    has_canary: bool = True
    size: BatchSize = BatchSize(DEFAULT_BATCH)
    max_failures: int = 0
    """So many hosts may fail before no further one is started. The canary may not fail at all."""

    def batches(self, hosts: Sequence[str]) -> tuple[Batch, ...]:
        """The hosts that change, in the order of the fleet, divided into batches.

        One host alone goes first when there are several. A canary that is named and does not change
        already is as the spec asks: then nobody goes alone.
        """
        alone = self._alone(hosts)
        rest = [host for host in hosts if host not in alone]
        size = self.size.of(len(hosts))
        behind = (Batch(tuple(rest[at : at + size])) for at in range(0, len(rest), size))
        return (*([Batch(alone, is_canary=True)] if alone else []), *behind)

    def _alone(self, hosts: Sequence[str]) -> tuple[str, ...]:
        if not self.has_canary or len(hosts) < 2:
            return ()
        if self.canary is None:
            return (hosts[0],)
        return (self.canary,) if self.canary in hosts else ()


def without_canary(
    rollout: Rollout, plan: Plan, unreached: Container[str]
) -> tuple[HostOutcome, ...]:
    """The outcome of every host that would change, when the named canary is not reached."""
    if not rollout.has_canary or rollout.canary is None or rollout.canary not in unreached:
        return ()
    reason = f"the canary {rollout.canary} was not reached"
    return tuple(not_started(host.host, reason) for host in plan.hosts if not host.is_empty)
