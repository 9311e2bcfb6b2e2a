"""The documents of the commands that change hosts: apply and rollback."""

from __future__ import annotations

from provision.apply.outcome import WORDS
from provision.contracts.plan import bare_plan, bound_plan
from provision.contracts.shapes import (
    COUNT,
    SECONDS,
    TEXT,
    TEXTS,
    Schema,
    about,
    array,
    document,
    keys,
    optional,
    or_null,
    words,
)

_PASSWORDS: Schema = {"type": "object", "additionalProperties": TEXT}
_VERSION: Schema = {"type": "string", "pattern": r"^1\.[0-9]+$"}
EXIT_CODE = about("What the process ends with.", {"type": "integer"})


def apply_schema() -> Schema:
    """What ``apply --format json`` prints."""
    whole = document(
        "An apply of provision",
        plan=keys(format_version=_VERSION, **bound_plan()),
        outcomes=array(outcome()),
        exit_code=EXIT_CODE,
    )
    return optional(
        whole,
        generated_passwords=about("With --show-passwords: new passwords by address.", _PASSWORDS),
        unsure_passwords=about("The same, of hosts that were lost on the way.", _PASSWORDS),
    )


def rollback_schema() -> Schema:
    """What ``rollback --format json`` prints."""
    return document(
        "A rollback of provision",
        to=about("Host to the generation that it goes back to.", {"additionalProperties": COUNT}),
        plan=keys(format_version=_VERSION, **bare_plan()),
        outcomes=array(outcome()),
        exit_code=EXIT_CODE,
    )


def outcome() -> Schema:
    """How one host ended."""
    return keys(
        host=TEXT,
        outcome=words(WORDS),
        message=TEXT,
        lines=about("Findings or log lines that matter.", TEXTS),
        generation=or_null(COUNT),
        seconds=SECONDS,
        replaced=about("Files that were edited on the host; it keeps copies.", TEXTS),
    )
