"""Make a plan true on one batch of hosts: hash, pack, run the playbook, and say what came of it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from provision.apply.confirm import Awaited, Settling
from provision.apply.outcome import Applied, HostOutcome
from provision.apply.passwords import Credentials, make_credentials
from provision.apply.record import Record, end_of
from provision.apply.request import HostWork, Stamp, pack, pack_short
from provision.hosts.connection import Connection
from provision.hosts.interrupts import Interrupts
from provision.hosts.playbook import Event, Play
from provision.model.fleet import Fleet


@dataclass(frozen=True, slots=True)
class Means:
    """What every batch of one apply has in common."""

    fleet: Fleet
    connection: Connection
    stamp: Stamp
    on_event: Callable[[Event], None]
    interrupts: Interrupts


def apply_batch(works: Sequence[HostWork], means: Means) -> Applied:
    """Apply to every host of ``works``; they run at the same time. Never raises for one host.

    Passwords are made here and not earlier: none is made for a host that is not started.
    """
    credentials = {
        work.plan.host: make_credentials(
            means.fleet, work.changed_sites(), work.actual, moves=work.moves()
        )
        for work in works
    }
    stored: set[str] = set()

    def take(event: Event) -> None:
        if event.get("accounts"):  # also where all else goes back: they are in no generation
            stored.add(event["host"])
        means.on_event(event)

    outcomes = _play(works, replace(means, on_event=take), credentials)
    stored |= {outcome.host for outcome in outcomes if outcome.word == "applied"}
    generated = {
        address: password
        for outcome in outcomes
        if outcome.host in stored
        for address, password in credentials[outcome.host].generated.items()
    }
    return Applied(outcomes, generated)


def _play(
    works: Sequence[HostWork], means: Means, credentials: Mapping[str, Credentials]
) -> tuple[HostOutcome, ...]:
    records = {work.plan.host: Record(work.plan.host) for work in works}
    awaited = {w.plan.host: Awaited(w.desired.host, w.confirm_seconds) for w in works}
    settling = Settling(means.connection, means.stamp.id, awaited, means.on_event)

    def take(event: Event) -> None:
        if event.get("host") in records:
            records[event["host"]].take(event)
        settling.take(event)
        means.on_event(event)

    folder = private_folder()
    try:
        play = Play(
            folder=folder,
            hosts=[work.desired.host for work in works],
            connection=means.connection,
            variables=_write_archives(folder, works, credentials=credentials, stamp=means.stamp),
        )
        played = play.run(take, means.interrupts)
    finally:
        shutil.rmtree(folder)
    ended = (end_of(record, played) for record in records.values())
    return settling.settled(ended, means.interrupts)


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
        short = pack_short(work, credentials[work.plan.host], stamp)
        if short is not None:
            beside = path.with_name(f"{path.name}.short")
            beside.touch(mode=0o600)
            beside.write_bytes(short)
        variables[work.plan.host] = work.variables(str(path))
    return variables
