"""Bring an earlier generation back on every host that was asked for, and say what came of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provision.apply.confirm import Awaited, Settling
from provision.apply.outcome import Applied
from provision.apply.record import Record, end_of
from provision.apply.request import Stamp
from provision.apply.run import private_folder
from provision.hosts.connection import Connection
from provision.hosts.interrupts import Interrupts
from provision.hosts.playbook import Event, Play
from provision.model.fleet import Host

_PLAYBOOK = "rollback.yml"
_UNPRINTABLE = re.compile(r"[^A-Za-z0-9@._:+-]")


@dataclass(frozen=True, slots=True)
class Return:
    """One host with the generation whose files come back and the one that is current."""

    host: Host
    number: int
    current: int
    confirm_seconds: int = 0
    """More than 0: it touches access, and goes back unless it is confirmed within so long."""

    def variables(self, stamp: Stamp) -> dict[str, Any]:
        """What rollback.yml is told: numbers, and words that Ansible cannot read as Jinja."""
        return {
            "provision_generation": self.number,
            "provision_expected": self.current,
            "provision_who": _plain(stamp.who),
            "provision_since": _plain(stamp.since),
            "provision_commit": _plain(stamp.commit),
            "provision_run": stamp.id,
            "provision_confirm_seconds": self.confirm_seconds,
        }


def _plain(words: str) -> str:
    return _UNPRINTABLE.sub("_", words)


def roll_back(
    returns: Sequence[Return],
    *,
    connection: Connection,
    stamp: Stamp,
    on_event: Callable[[Event], None],
) -> Applied:
    """Roll every host back at the same time. Never raises for one host."""
    if not returns:
        return Applied((), {})
    records: Mapping[str, Record] = {r.host.name: Record(r.host.name) for r in returns}
    awaited = {r.host.name: Awaited(r.host, r.confirm_seconds) for r in returns}
    settling = Settling(connection, stamp.id, awaited, on_event)

    def take(event: Event) -> None:
        if event.get("host") in records:
            records[event["host"]].take(event)
        settling.take(event)
        on_event(event)

    folder = private_folder()
    try:
        play = Play(
            folder=folder,
            hosts=[one.host for one in returns],
            connection=connection,
            variables={one.host.name: one.variables(stamp) for one in returns},
            playbook=_PLAYBOOK,
        )
        with Interrupts(on_event) as interrupts:
            played = play.run(take, interrupts)
            ended = [end_of(record, played) for record in records.values()]
            outcomes = settling.settled(ended, interrupts)
    finally:
        shutil.rmtree(folder)
    return Applied(outcomes, {}, interrupted=interrupts.is_wanted)
