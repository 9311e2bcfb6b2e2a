"""Make a plan true on one batch of hosts: hash, pack, run the playbook, and say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision.apply.ahead import Ahead
from provision.apply.confirm import Awaited, Settling
from provision.apply.outcome import Applied, HostOutcome
from provision.apply.passwords import Credentials, make_credentials
from provision.apply.record import Record, end_of
from provision.apply.request import HostWork, Stamp, pack, pack_short
from provision.hosts.connection import Connection
from provision.hosts.interrupts import Interrupts
from provision.hosts.playbook import Event, Play
from provision.model.fleet import Fleet
from provision.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Means:
    """What every batch of one apply has in common."""

    fleet: Fleet
    connection: Connection
    stamp: Stamp
    on_event: Callable[[Event], None]
    interrupts: Interrupts
    ahead: Ahead


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
    records = {work.plan.host: Record(work.plan.host) for work in works}
    outcomes = _play(works, means, credentials, records)
    took = {o.host: o.word == "applied" or records[o.host].took_accounts for o in outcomes}
    return Applied(
        outcomes,
        generated=_generated(credentials, [host for host in took if took[host]]),
        unsure=_generated(credentials, [host for host in took if took[host] is None]),
    )


def _generated(credentials: Mapping[str, Credentials], hosts: Sequence[str]) -> dict[str, Secret]:
    """The passwords that were made for new mailboxes of these hosts."""
    return {
        address: password
        for host in hosts
        for address, password in credentials[host].generated.items()
    }


def _play(
    works: Sequence[HostWork],
    means: Means,
    credentials: Mapping[str, Credentials],
    records: Mapping[str, Record],
) -> tuple[HostOutcome, ...]:
    awaited = {w.plan.host: Awaited(w.desired.host, w.confirm_seconds) for w in works}
    settling = Settling(means.connection, means.stamp.id, awaited, means.on_event)

    def take(event: Event) -> None:
        if event.get("host") in records:
            records[event["host"]].take(event)
        settling.take(event)
        means.on_event(event)

    with means.ahead.take() as ansible:
        play = Play(
            ansible=ansible,
            hosts=[work.desired.host for work in works],
            connection=means.connection,
            variables=_write_archives(
                ansible.folder, works, credentials=credentials, stamp=means.stamp
            ),
        )
        played = play.run(take, means.interrupts)
    ended = (end_of(record, played) for record in records.values())
    return settling.settled(ended, means.interrupts)


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
        variables[work.plan.host] = work.variables(str(path), stamp.id)
    return variables
