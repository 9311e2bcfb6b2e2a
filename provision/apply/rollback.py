"""Bring an earlier generation back on every host that was asked for, and say what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provision.apply.ahead import Ahead
from provision.apply.confirm import Awaited, Settling
from provision.apply.outcome import Applied
from provision.apply.record import Record, end_of
from provision.apply.request import Stamp
from provision.hosts.connection import Connection
from provision.hosts.interrupts import Interrupts
from provision.hosts.playbook import Event, Play
from provision.model.fleet import Host
from provision.plan.change import HostPlan, Kind
from provision.plan.generations import Manifest

_PLAYBOOK = "rollback.yml"
_UNPRINTABLE = re.compile(r"[^A-Za-z0-9@._:+-]")


@dataclass(frozen=True, slots=True)
class Return:
    """One host with the generation whose files come back, and the plan of that."""

    host: Host
    number: int
    plan: HostPlan
    base: Manifest | None
    confirm_seconds: int = 0
    """More than 0: it touches access, and goes back unless it is confirmed within so long."""

    def variables(self, stamp: Stamp) -> dict[str, Any]:
        """What rollback.yml is told: numbers, and words that Ansible cannot read as Jinja."""
        return {
            "provision_generation": self.number,
            "provision_expected": self.plan.generation,
            "provision_packages": [change.name for change in self.plan.of_kind(Kind.PACKAGE)],
            "provision_users": self._users(),
            "provision_who": _plain(stamp.who),
            "provision_since": _plain(stamp.since),
            "provision_commit": _plain(stamp.commit),
            "provision_plan": stamp.plan,
            "provision_run": stamp.id,
            "provision_confirm_seconds": self.confirm_seconds,
        }

    def _users(self) -> list[dict[str, Any]]:
        known = self.base.users if self.base else {}
        wanted = [change.name for change in self.plan.of_kind(Kind.USER)]
        return [{"name": n, "home": known[n][0], "groups": list(known[n][1])} for n in wanted]


def _plain(words: str) -> str:
    return _UNPRINTABLE.sub("_", words)


def roll_back(
    returns: Sequence[Return],
    *,
    connection: Connection,
    stamp: Stamp,
    on_event: Callable[[Event], None],
    interrupts: Interrupts,
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

    with Ahead() as ahead, ahead.take() as ansible:
        play = Play(
            ansible=ansible,
            hosts=[one.host for one in returns],
            connection=connection,
            variables={one.host.name: one.variables(stamp) for one in returns},
            playbook=_PLAYBOOK,
        )
        played = play.run(take, interrupts)
        ended = [end_of(record, played) for record in records.values()]
        outcomes = settling.settled(ended, interrupts)
    return Applied(outcomes, {}, interrupted=interrupts.is_wanted)
