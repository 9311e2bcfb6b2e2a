"""Apply to a fleet batch by batch, until all is done, too much has failed, or a person stops it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from provision.apply.outcome import Applied, HostOutcome, not_started
from provision.apply.rollout import Batch, Rollout
from provision.errors import ExitCode
from provision.hosts.interrupts import Interrupts
from provision.hosts.playbook import Event
from provision.model.secret import Secret

Start = Callable[[tuple[str, ...]], Applied]
"""Applies to the hosts of these names, all at the same time."""


@dataclass(slots=True)
class Rolling:
    """One run over the batches of a rollout: how far it came, and what holds it."""

    rollout: Rollout
    interrupts: Interrupts
    on_event: Callable[[Event], None]
    outcomes: list[HostOutcome] = field(default_factory=list)
    generated: dict[str, Secret] = field(default_factory=dict)
    held: str = ""
    """Why no further host is started; empty: go on."""

    def over(self, hosts: Sequence[str], start: Start) -> Applied:
        """Start batch after batch. Every host gets an outcome, those that are not started too."""
        batches = self.rollout.batches(hosts)
        for number, batch in enumerate(batches, 1):
            if self.interrupts.is_wanted:
                self.held = self.held or "interrupted before its turn"
            if self.held:
                self.outcomes += (not_started(host, self.held) for host in batch.hosts)
                continue
            self.on_event(_beginning(batch, number, len(batches)))
            self._keep(start(batch.hosts), batch)
        return Applied(tuple(self.outcomes), self.generated, self.interrupts.is_wanted)

    def _keep(self, applied: Applied, batch: Batch) -> None:
        self.outcomes += applied.outcomes
        self.generated |= applied.generated
        failed = [o.host for o in self.outcomes if o.exit_code is not ExitCode.DONE]
        if failed and batch.is_canary:
            self.held = f"the canary {failed[0]} failed"
        elif len(failed) > self.rollout.max_failures:
            limit = self.rollout.max_failures
            self.held = f"{', '.join(failed)} failed"
            self.held += f", more than the {limit} that may" if limit else ""


def _beginning(batch: Batch, number: int, count: int) -> Event:
    return {
        "type": "batch",
        "number": number,
        "of": count,
        "canary": batch.is_canary,
        "hosts": list(batch.hosts),
    }
