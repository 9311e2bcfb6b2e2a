"""A plan as a document: what ``plan --format json`` prints, ``-o`` saves and ``apply FILE`` reads.

It is bound to what it was made from: the fleet folder, the templates, and per host what it had.
It holds no secret; passwords and keys are read again from the fleet folder when it is applied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from provision import __version__
from provision.errors import Refused
from provision.plan.change import (
    FORMAT,
    Action,
    Basis,
    Change,
    HostPlan,
    Kind,
    Origin,
    Plan,
    UnitAction,
)
from provision.plan.objection import Objection, Rule


@dataclass(frozen=True, slots=True)
class FleetVersion:
    """Which state of the fleet folder and of this program's templates a plan was made from."""

    commit: str
    """Full id of the commit; empty outside of git."""
    dirty: bool
    """True when the folder has changes that are not committed."""
    digest: str
    """SHA-256 of the folder's contents, hidden files left out."""
    templates: str
    """SHA-256 of the templates and playbooks."""


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """A plan with all that it is bound to."""

    plan: Plan
    fleet: FleetVersion
    created: str
    """UTC, as in ``2026-11-23T18:00:00Z``."""
    created_by: str
    """Login and machine: ``ada@desk``."""
    unreached: tuple[str, ...] = ()
    """Hosts that did not answer; the plan says nothing about them."""

    def as_json(self) -> dict[str, Any]:
        """The versioned JSON document (``provision schema plan``)."""
        return {
            **self.plan.as_json(),
            "program": __version__,
            "created": self.created,
            "created_by": self.created_by,
            "fleet": asdict(self.fleet),
            "unreached": list(self.unreached),
        }

    def text(self) -> str:
        """The document as it is written."""
        return json.dumps(self.as_json(), indent=2) + "\n"


def parse_plan_document(text: bytes) -> PlanDocument:
    """Read a saved plan. Raises Refused when it is none, of another format, or not whole."""
    try:
        values = json.loads(text)
        found = str(values["format_version"])
    except (ValueError, TypeError, KeyError):
        raise _refused("it is not a plan") from None
    if found.partition(".")[0] != FORMAT.partition(".")[0]:
        raise _refused(f"it has format {found}, and this version reads {FORMAT}")
    try:
        document = _document(values)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _refused("it is not whole") from None
    if document.plan.digest() != values["digest"]:
        raise _refused("it was changed after it was written")
    return document


def _refused(reason: str) -> Refused:
    return Refused(
        f"the plan file cannot be applied: {reason}", hint="make a new one: provision plan -o FILE"
    )


def _document(values: Mapping[str, Any]) -> PlanDocument:
    hosts = tuple(_host(entry) for entry in values["hosts"])
    names = ("commit", "dirty", "digest", "templates")
    return PlanDocument(
        plan=Plan(hosts, tuple(values["partial"])),
        fleet=FleetVersion(**{name: values["fleet"][name] for name in names}),
        created=values["created"],
        created_by=values["created_by"],
        unreached=tuple(values["unreached"]),
    )


def _host(entry: Mapping[str, Any]) -> HostPlan:
    return HostPlan(
        host=entry["host"],
        generation=entry["generation"],
        changes=tuple(_change(change) for change in entry["changes"]),
        unit_actions=tuple(
            UnitAction(action["unit"], action["verb"], tuple(action["why"]))
            for action in entry["unit_actions"]
        ),
        objections=tuple(
            Objection(Rule(found["rule"]), found["scope"], found["message"], found["flag"])
            for found in entry["objections"]
        ),
        access=tuple(entry.get("access", ())),
        basis=Basis(**{n: entry["basis"][n] for n in ("desired", "manifest", "observed")}),
    )


def _change(entry: Mapping[str, Any]) -> Change:
    return Change(
        kind=Kind[entry["kind"].upper()],
        name=entry["name"],
        action=Action(entry["action"]),
        detail=entry["detail"],
        diff=entry["diff"],
        origin=Origin(entry["origin"]),
        note=entry["note"],
    )
