"""A plan as a value: sorted, frozen, JSON-serialisable, with a digest; never a secret in it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from provision.plan.objection import Objection

FORMAT = "1.0"
"""Version of the JSON form: a new minor only adds keys, a new major may change them."""


class Action(StrEnum):
    """What happens to an object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RENAME = "rename"


class Origin(StrEnum):
    """Why an object changes: the spec moved away from the host, or the host from the spec."""

    INTENT = "intent"
    DRIFT = "drift"


class Kind(IntEnum):
    """What an object is; the order is the order in which a plan lists them."""

    REPAIR = 0
    PACKAGE = 1
    USER = 2
    DIRECTORY = 3
    FILE = 4
    UNIT = 5
    ACCOUNTS = 6
    SITE = 7
    MAILBOX = 8
    ALIAS = 9

    @property
    def word(self) -> str:
        """The word that people and JSON read."""
        return self.name.lower()


@dataclass(frozen=True, order=True, slots=True)
class Change:
    """One object that will be different after the apply."""

    kind: Kind
    name: str
    action: Action
    detail: str = ""
    """What is different, for people: ``quota 2G -> 5G``, ``mode 0644 -> 0640``."""
    diff: str = ""
    """Unified diff of a file; empty where there is none to show."""
    origin: Origin = Origin.INTENT
    note: str = field(default="", compare=False)
    """What a person should know and what moves by itself, such as how much mail a mailbox holds;
    no part of the digest."""

    def as_json(self) -> dict[str, Any]:
        """The change as JSON values."""
        return {
            "kind": self.kind.word,
            "name": self.name,
            "action": self.action.value,
            "detail": self.detail,
            "diff": self.diff,
            "origin": self.origin.value,
            "note": self.note,
        }


@dataclass(frozen=True, order=True, slots=True)
class UnitAction:
    """What a unit will have to do, and why."""

    unit: str
    verb: str
    """``start``, ``reload`` or ``restart``."""
    why: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The action as JSON values."""
        return {"unit": self.unit, "verb": self.verb, "why": list(self.why)}


@dataclass(frozen=True, slots=True)
class Basis:
    """Digests of what a host's plan was made from, hexadecimal; they give no content away."""

    desired: str = ""
    """Of the whole bundle, the contents of secret files included."""
    manifest: str = ""
    """Of what the host's last apply left: its manifest and its account documents."""
    observed: str = ""
    """Of the managed files as they were found."""


@dataclass(frozen=True, slots=True)
class HostPlan:
    """The difference of one host between desired and actual; empty when there is none."""

    host: str
    generation: int
    """The host's generation when it was observed: a plan holds for no other."""
    changes: tuple[Change, ...] = ()
    unit_actions: tuple[UnitAction, ...] = ()
    objections: tuple[Objection, ...] = ()
    """What an apply refuses unless it is told to go on."""
    basis: Basis = Basis()
    """What exactly the plan was made from."""
    access: tuple[str, ...] = ()
    """What of it touches access to the host: that goes back by itself unless it is confirmed."""

    @property
    def is_empty(self) -> bool:
        """True when nothing on the host needs to change."""
        return not self.changes and not self.unit_actions

    def of_kind(self, *kinds: Kind) -> tuple[Change, ...]:
        """The changes of these kinds, in order."""
        return tuple(change for change in self.changes if change.kind in kinds)

    @property
    def is_accounts_only(self) -> bool:
        """True when nothing but account data changes: no package, file, unit or generation."""
        data = {Kind.ACCOUNTS, Kind.SITE, Kind.MAILBOX, Kind.ALIAS}
        return not self.unit_actions and all(change.kind in data for change in self.changes)

    def as_json(self) -> dict[str, Any]:
        """The host's part as JSON values."""
        return {
            "host": self.host,
            "generation": self.generation,
            "basis": asdict(self.basis),
            "changes": [change.as_json() for change in self.changes],
            "unit_actions": [action.as_json() for action in self.unit_actions],
            "objections": [objection.as_json() for objection in self.objections],
            "access": list(self.access),
        }

    def digest(self) -> str:
        """SHA-256 of the host's part without its notes, hexadecimal."""
        return _digest(self._lasting())

    def _lasting(self) -> dict[str, Any]:
        values = self.as_json()
        for change in values["changes"]:
            del change["note"]
        return values


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference of the whole fleet, or of the hosts that were asked for."""

    hosts: tuple[HostPlan, ...]
    partial: tuple[str, ...] = ()
    """Why it is not the plan of the whole fleet, in words; empty when it is."""

    @property
    def is_empty(self) -> bool:
        """True when no host needs to change."""
        return all(host.is_empty for host in self.hosts)

    def counts(self) -> Mapping[Action, int]:
        """How many objects are created, updated and deleted over all hosts."""
        tally = Counter(change.action for host in self.hosts for change in host.changes)
        return {action: tally[action] for action in Action}

    def as_json(self) -> dict[str, Any]:
        """The versioned JSON document."""
        return {
            "format_version": FORMAT,
            "complete": not self.partial,
            "partial": list(self.partial),
            "hosts": [host.as_json() for host in self.hosts],
            "counts": {action.value: count for action, count in self.counts().items()},
            "digest": self.digest(),
        }

    def digest(self) -> str:
        """SHA-256 over every host's part: equal digests mean equal plans."""
        return _digest([host._lasting() for host in self.hosts])  # noqa: SLF001 - its own module


def sorted_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes in the order of a plan."""
    return tuple(sorted(changes))


def _digest(values: Any) -> str:
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
