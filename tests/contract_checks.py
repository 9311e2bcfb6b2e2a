"""Hold what was really printed against the schemas that programs are promised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from provision.contracts.catalogue import DOCUMENTS
from provision.contracts.event import TYPES, event_schema

NAMES = {"mailbox": "mailboxes", "lab": "labs"}
"""Commands whose document is called otherwise."""
WITH_EVENTS = {"apply", "rollback", "verify", "plan", "drift"}
_COMMON = {"type", "ts", "run_id", "message", "host"}


def strict(schema: Any) -> Any:
    """The schema with no room for a key that it does not describe."""
    if isinstance(schema, list):
        return [strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    values = {key: strict(value) for key, value in schema.items()}
    described = {"required", "properties"} <= set(values)
    return {**values, "additionalProperties": False} if described else values


def check_document(command: str, text: str) -> dict[str, Any]:
    """The document that a command printed; fails where its schema says otherwise."""
    values: dict[str, Any] = json.loads(text)
    jsonschema.validate(values, strict(DOCUMENTS[NAMES.get(command, command)]()))
    return values


def check_events(path: Path, code: int) -> list[dict[str, Any]]:
    """The events of a run that ended with ``code``; of one that was killed (below 0) the whole."""
    text = path.read_text()
    assert text.endswith("\n")
    assert path.stat().st_mode & 0o777 == 0o600
    events: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    validator = jsonschema.Draft202012Validator(event_schema())
    for event in events:
        validator.validate(event)
        assert set(event) <= _COMMON | set(TYPES[event["type"]]["properties"]), event
    assert [event["type"] for event in events[:2]] == ["version", "run_start"]
    if code >= 0:
        assert (events[-1]["type"], events[-1]["exit_code"]) == ("run_end", code)
    return events
