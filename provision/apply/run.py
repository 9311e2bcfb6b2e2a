"""Make a plan true: hash, pack, run the playbook over the hosts that change, and say what came."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provision.apply.outcome import HostOutcome
from provision.apply.passwords import Credentials, make_credentials
from provision.apply.request import HostWork, Stamp, pack
from provision.hosts.connection import Connection
from provision.hosts.playbook import Event, Play, Played
from provision.model.fleet import Fleet
from provision.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Applied:
    """How every host ended, and the passwords that were made for new mailboxes."""

    outcomes: tuple[HostOutcome, ...]
    generated: Mapping[str, Secret]
    interrupted: bool = False


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
            self.outcome = HostOutcome(self.host, "applied", "", lines, number, took, kept)


def _failure_words(event: Event) -> str:
    first = (event.get("msg") or "no message").strip().splitlines()[0]
    return f"{event.get('task', 'a task')}: {first}"


def apply_work(
    fleet: Fleet,
    works: Sequence[HostWork],
    *,
    connection: Connection,
    stamp: Stamp,
    on_event: Callable[[Event], None],
) -> Applied:
    """Apply to every host of ``works``; they run at the same time. Never raises for one host."""
    credentials = {
        work.plan.host: make_credentials(
            fleet, work.changed_sites(), work.actual, moves=work.moves()
        )
        for work in works
    }
    records = {work.plan.host: Record(work.plan.host) for work in works}

    def take(event: Event) -> None:
        if event.get("host") in records:
            records[event["host"]].take(event)
        on_event(event)

    folder = private_folder()
    try:
        play = Play(
            folder=folder,
            hosts=[work.desired.host for work in works],
            connection=connection,
            variables=_write_archives(folder, works, credentials=credentials, stamp=stamp),
        )
        played = play.run(take)
    finally:
        shutil.rmtree(folder)
    outcomes = tuple(end_of(record, played) for record in records.values())
    generated = {
        address: password
        for outcome in outcomes
        if outcome.word == "applied"
        for address, password in credentials[outcome.host].generated.items()
    }
    return Applied(outcomes, generated, interrupted=played.interrupted)


def private_folder() -> Path:
    """A new folder (0700), in memory where there is some: it will hold secrets for a moment."""
    memory = os.environ.get("XDG_RUNTIME_DIR", "/dev/shm")  # noqa: S108 - mkdtemp makes it private
    place = memory if os.access(memory, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="provision-", dir=place))


def _write_archives(
    folder: Path,
    works: Sequence[HostWork],
    *,
    credentials: Mapping[str, Credentials],
    stamp: Stamp,
) -> dict[str, dict[str, Any]]:
    variables = {}
    for work in works:
        path = folder / f"{work.plan.host}.tar.gz"
        path.touch(mode=0o600)
        path.write_bytes(pack(work, credentials[work.plan.host], stamp))
        variables[work.plan.host] = work.variables(str(path))
    return variables


def end_of(record: Record, played: Played) -> HostOutcome:
    """How a host ended, also when Ansible never came to say so."""
    if record.outcome is not None:
        return record.outcome
    message = f"Ansible ended with status {played.status}"
    return HostOutcome(record.host, "failed", message, played.words)
