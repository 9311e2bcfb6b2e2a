"""Follow the events of a playbook to how each host ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from provision.apply.outcome import HostOutcome
from provision.hosts.playbook import Event, Played


@dataclass(slots=True)
class Record:
    """Follows the events of one host to its outcome."""

    host: str
    started: float = field(default_factory=time.monotonic)
    outcome: HostOutcome | None = None

    def take(self, event: Event) -> None:
        """Note what an event of this host says about its end."""
        took = round(time.monotonic() - self.started, 1)
        lines = tuple(event.get("lines", ()))
        if event["type"] == "unreachable":
            message = "the connection broke; the host ends whole by itself, apply again"
            said = tuple(event.get("msg", "").strip().splitlines()[-3:])
            self.outcome = HostOutcome(self.host, "unreachable", message, said, seconds=took)
        elif event["type"] == "task_failed":
            word = event.get("outcome", "failed")
            message = event.get("message") or _failure_words(event)
            lines = lines or tuple(event.get("stderr", "").splitlines()[-8:])
            kept = tuple(event.get("replaced", ()))
            self.outcome = HostOutcome(self.host, word, message, lines, seconds=took, replaced=kept)
        elif event["type"] == "task_ok" and event.get("outcome") == "applied":
            number, kept = event.get("generation"), tuple(event.get("replaced", ()))
            self.outcome = HostOutcome(self.host, "applied", "", (), number, took, kept)


def _failure_words(event: Event) -> str:
    first = (event.get("msg") or "no message").strip().splitlines()[0]
    return f"{event.get('task', 'a task')}: {first}"


def end_of(record: Record, played: Played) -> HostOutcome:
    """How a host ended, also when Ansible never came to say so."""
    if record.outcome is not None:
        return record.outcome
    if played.aborted:
        message = "aborted; the host ends whole by itself, apply again"
        return HostOutcome(record.host, "failed", message)
    message = f"Ansible ended with status {played.status}"
    return HostOutcome(record.host, "failed", message, played.words)
