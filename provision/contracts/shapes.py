"""Pieces of JSON Schema (draft 2020-12) that every document is made of."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
COUNT: Schema = {"type": "integer", "minimum": 0}
TRUTH: Schema = {"type": "boolean"}
SECONDS: Schema = {"type": "number", "minimum": 0}
DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
MOMENT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
UNREACHED: Schema = {
    "description": "Host to the reason why it was not reached.",
    "type": "object",
    "additionalProperties": TEXT,
}


def document(title: str, **properties: Schema) -> Schema:
    """A whole document: its keys, all of them there, and the version that every one has."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **keys(format_version={"type": "string", "pattern": r"^1\.[0-9]+$"}, **properties),
    }


def keys(**properties: Schema) -> Schema:
    """An object whose keys are all there; further ones may follow in a later minor version."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def optional(schema: Schema, **properties: Schema) -> Schema:
    """The object with keys that may be there."""
    return {**schema, "properties": {**schema["properties"], **properties}}


def about(text: str, schema: Schema) -> Schema:
    """The schema with a description."""
    return {"description": text, **schema}


def array(items: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": items}


def or_null(schema: Schema) -> Schema:
    """This, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def words(values: Iterable[str | StrEnum]) -> Schema:
    """One of these words."""
    return {"enum": [str(value) for value in values]}
