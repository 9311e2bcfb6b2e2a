"""Learn from the hosts themselves how they ended: confirm what waits for it, by a new connection.

A change that touches access to a host is kept only when the host can be reached anew after it. And
when Ansible's connection broke, only the host knows what came of the apply. So success is said when
the host says so (deploy-rs #214: taken back on the host, and yet reported as done).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provision.apply.outcome import HostOutcome
from provision.errors import ProvisionError
from provision.hosts.confirm import confirm
from provision.hosts.connection import Connection
from provision.hosts.interrupts import Interrupts
from provision.hosts.playbook import Event
from provision.model.fleet import Host

RECONNECT_SECONDS = 45.0
"""How long a host is tried again whose connection broke, when nothing is to be confirmed."""
GRACE_SECONDS = 30.0
"""How long a host may take to go back, and to be reached again, after its time is over."""
LONGEST_SECONDS = 300.0
"""How long an apply may go on alone on its host before we stop asking."""
_PAUSE = 1.0
_PATIENCE = 3
"""A host that does not know the run yet is asked again so often: the module may be starting."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A host of the run, and in how many seconds it goes back unconfirmed; 0: it does not."""

    host: Host
    confirm_seconds: int


@dataclass(slots=True)
class Settling:
    """Follows the events of a play; asks each host whose end is open as soon as that is known.

    In threads of its own: the seconds of one host must not run out while others are at work.
    """

    connection: Connection
    run: str
    awaited: Mapping[str, Awaited]
    on_event: Callable[[Event], None]
    started: float = field(default_factory=time.monotonic)
    _threads: dict[str, threading.Thread] = field(default_factory=dict)
    _found: dict[str, HostOutcome] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Start to ask when this event leaves the end of its host open."""
        name, switched = event.get("host", ""), event.get("outcome") == "unconfirmed"
        if name not in self.awaited or name in self._threads:
            return
        if switched or event["type"] == "unreachable":
            ask = _Asking(self.awaited[name], self, switched=switched)
            thread = threading.Thread(target=self._settle, args=(name, ask), daemon=True)
            self._threads[name] = thread
            thread.start()

    def _settle(self, name: str, ask: _Asking) -> None:
        self._found[name] = ask.until_told()

    def settled(
        self, outcomes: Iterable[HostOutcome], interrupts: Interrupts
    ) -> tuple[HostOutcome, ...]:
        """The outcomes, with those that were open as the hosts have told them."""
        for thread in self._threads.values():
            while thread.is_alive() and not interrupts.is_abort:
                thread.join(0.2)
        return tuple(
            self._found.get(outcome.host) or _aborted(outcome)
            if outcome.host in self._threads
            else outcome
            for outcome in outcomes
        )


def _aborted(outcome: HostOutcome) -> HostOutcome:
    message = "aborted before the host had said what came of it; it ends whole by itself"
    return HostOutcome(outcome.host, "failed", message, seconds=outcome.seconds)


class _Asking:
    """Asks one host until it has told what came of the run, or too much time has gone."""

    def __init__(self, awaited: Awaited, settling: Settling, *, switched: bool) -> None:
        self._host, self._seconds = awaited.host, awaited.confirm_seconds
        self._settling, self._switched = settling, switched
        self._begun = time.monotonic()
        wait = self._seconds + GRACE_SECONDS if self._seconds else RECONNECT_SECONDS
        self._limit = self._begun + wait
        self._why = ""
        self._unknown = 0

    def until_told(self) -> HostOutcome:
        """The outcome as the host tells it; else that it could not be asked."""
        self._note(
            "confirming over a new connection" if self._switched else "asking what came of it"
        )
        while time.monotonic() < self._limit:
            told = self._ask()
            if told is not None:
                return self._outcome(told)
            time.sleep(_PAUSE)
        return self._lost()

    def _ask(self) -> Mapping[str, Any] | None:
        """What the host tells; None: ask again."""
        settling = self._settling
        target = settling.connection.target_of(self._host)
        try:
            told = confirm(target, settling.connection, settling.run)
        except ProvisionError as error:
            self._tell_of(error)
            return None
        if told["outcome"] == "working":
            longest = self._begun + LONGEST_SECONDS
            self._limit = min(longest, max(self._limit, time.monotonic() + GRACE_SECONDS))
            return None
        if told["outcome"] == "unknown":
            self._unknown += 1
            return None if self._unknown < _PATIENCE else told
        return told

    def _tell_of(self, error: ProvisionError) -> None:
        self._why = error.message
        left = self._begun + self._seconds - time.monotonic()
        back = (
            f"; it goes back by itself within {left:.0f} s" if self._switched and left > 0 else ""
        )
        self._note(f"no new connection yet: {error.message}{back}")

    def _note(self, words: str) -> None:
        event = {"type": "settling", "host": self._host.name, "message": words}
        self._settling.on_event(event)

    def _outcome(self, told: Mapping[str, Any]) -> HostOutcome:
        word, message = told["outcome"], told["message"]
        lines = tuple(told.get("lines", ()))
        if word == "interrupted":
            word = "failed"
            message = (
                "it was cut off in the middle of the switch; the next apply begins by undoing it"
            )
        elif word == "unknown":
            word = "unreachable"
            message = "the connection broke before anything was switched; apply again"
        elif word == "rolled_back" and self._why:
            lines = (*lines, self._why)
        took = round(time.monotonic() - self._settling.started, 1)
        kept = tuple(told.get("replaced", ()))
        return HostOutcome(self._host.name, word, message, lines, told["generation"], took, kept)

    def _lost(self) -> HostOutcome:
        took = round(time.monotonic() - self._settling.started, 1)
        if self._switched:
            word = "needs_person"
            message = (
                "it was not confirmed, should be back on its old generation by now, and still"
                " cannot be reached: look at its console"
            )
        else:
            word = "unreachable"
            message = "the connection broke; the host ends whole by itself, apply again"
        return HostOutcome(self._host.name, word, message, (self._why,), seconds=took)
