"""Events: one JSON object a line; common keys, and those of each type."""

from __future__ import annotations

from typing import Any

from provision.apply.outcome import WORDS
from provision.contracts.other import PROBLEM, VERDICT
from provision.contracts.run import EXIT_CODE
from provision.contracts.shapes import (
    COUNT,
    MOMENT,
    SECONDS,
    TEXT,
    TEXTS,
    TRUTH,
    Schema,
    about,
    array,
    keys,
    optional,
    or_null,
    words,
)
from provision.plan.change import Action

_HOST = about("The host that it is about.", TEXT)
_STEPS = (
    "stage", "check", "watch", "switch", "activate", "prove", "accounts", "removal", "rollback",
)  # fmt: skip
_STEP = keys(host=_HOST, seconds=SECONDS)
_HOLDER = ("who", "since", "commit", "id", "address", "command")
TYPES: dict[str, Schema] = {
    "version": keys(format_version={"type": "string", "pattern": r"^1\.[0-9]+$"}, program=TEXT),
    "run_start": keys(command=TEXT, fleet_dir=TEXT, who=TEXT, commit=TEXT),
    "host_observed": keys(host=_HOST, reached=TRUTH, generation=or_null(COUNT)),
    "change_summary": keys(
        host=_HOST,
        **{action.value: COUNT for action in Action},
        unit_actions=array(keys(unit=TEXT, verb=TEXT, why=TEXTS)),
    ),
    "drift": keys(
        host=_HOST, object=TEXT, name=TEXT, what=words(["changed", "missing", "foreign"])
    ),
    "guard": keys(host=_HOST, rule=TEXT, scope=TEXT, flag=TEXT),
    "lock": optional(keys(host=_HOST), **dict.fromkeys(_HOLDER, TEXT)),
    "batch": keys(number=COUNT, of=COUNT, canary=TRUTH, hosts=TEXTS),
    "task": keys(host=_HOST, task=TEXT, state=words(["started", "done", "failed"])),
    **dict.fromkeys(_STEPS, _STEP),
    "confirm": keys(host=_HOST),
    "interrupted": keys(count=COUNT),
    "probe": keys(**VERDICT),
    "host_result": keys(
        host=_HOST,
        outcome=words(WORDS),
        reason=TEXT,
        lines=TEXTS,
        generation=or_null(COUNT),
        seconds=SECONDS,
        replaced=TEXTS,
    ),
    "diagnostic": optional(
        keys(severity=words(["error", "warning"]), hint=or_null(TEXT)),
        **{name: schema for name, schema in PROBLEM.items() if name not in {"severity", "hint"}},
    ),
    "run_end": keys(exit_code=EXIT_CODE),
}
"""Type to the keys that it has besides the common ones. Others may follow: show their message."""


def event_schema() -> Schema:
    """The schema of one line."""
    common = keys(
        type=about("Those known: " + ", ".join(TYPES), TEXT),
        ts=about("When, UTC.", MOMENT),
        run_id=about("The same in all lines of a run.", TEXT),
        message=about("For people; enough where a type is not known.", TEXT),
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An event of provision",
        **optional(common, host=TEXT),
        "allOf": [_when(name, schema) for name, schema in TYPES.items()],
    }


def _when(name: str, schema: Schema) -> dict[str, Any]:
    return {"if": {"properties": {"type": {"const": name}}}, "then": schema}
