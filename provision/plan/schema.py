"""The JSON Schema of a plan document: what ``plan --format json`` prints and ``-o`` saves.

Version 1.x only ever gains keys, so readers must let unknown ones pass; a key that is removed or
changes its meaning makes version 2.
"""

from __future__ import annotations

from typing import Any

from provision.plan.change import Action, Kind, Origin
from provision.plan.objection import Rule

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_COUNT = {"type": "integer", "minimum": 0}
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def plan_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A plan of provision",
        **_object(
            format_version={"type": "string", "pattern": r"^1\.[0-9]+$"},
            program=_about("Version of the program that made it.", _TEXT),
            created=_about("When, UTC.", {"type": "string", "format": "date-time"}),
            created_by=_about("Login and machine.", _TEXT),
            fleet=_fleet(),
            complete=_about("False: it is not the plan of the whole fleet.", {"type": "boolean"}),
            partial=_about("Why it is not complete, in words.", _TEXTS),
            unreached=_about("Hosts that did not answer.", _TEXTS),
            hosts={"type": "array", "items": _host()},
            counts=_object(**{action.value: _COUNT for action in Action}),
            digest=_about("SHA-256 over hosts: equal digests mean equal plans.", _DIGEST),
        ),
    }


def _fleet() -> dict[str, Any]:
    return _object(
        commit=_about("Commit of the fleet folder; empty outside of git.", _TEXT),
        dirty=_about("The folder has changes that are not committed.", {"type": "boolean"}),
        digest=_about("SHA-256 of the fleet folder.", _DIGEST),
        templates=_about("SHA-256 of the program's templates and playbooks.", _DIGEST),
    )


def _host() -> dict[str, Any]:
    return _object(
        host=_TEXT,
        generation=_about("The host's generation; 0: it has none.", _COUNT),
        basis=_object(
            desired=_about("SHA-256 of all that the host shall have.", _DIGEST),
            manifest=_about("SHA-256 of what its last apply left.", _DIGEST),
            observed=_about("SHA-256 of its managed files as found.", _DIGEST),
        ),
        changes={"type": "array", "items": _change()},
        unit_actions={
            "type": "array",
            "items": _object(unit=_TEXT, verb={"enum": ["start", "reload", "restart"]}, why=_TEXTS),
        },
        objections={
            "type": "array",
            "items": _object(
                rule={"enum": [rule.value for rule in Rule]},
                scope=_about("Host, site or mailbox.", _TEXT),
                message=_TEXT,
                flag=_about("Option of apply that lets it pass; empty: none.", _TEXT),
            ),
        },
        access=_about("What touches access to the host, and is confirmed or taken back.", _TEXTS),
    )


def _change() -> dict[str, Any]:
    return _object(
        kind={"enum": [kind.word for kind in Kind]},
        name=_TEXT,
        action={"enum": [action.value for action in Action]},
        detail=_about("What is different, for people.", _TEXT),
        diff=_about("Unified diff of a file; empty where there is none to show.", _TEXT),
        origin=_about(
            "intent: the spec moved; drift: the host did.",
            {"enum": [origin.value for origin in Origin]},
        ),
        note=_about("What is worth knowing and may move by itself; in no digest.", _TEXT),
    )


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object whose keys are all there; further ones may follow in a later minor version."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _about(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, **schema}
