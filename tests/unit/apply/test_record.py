"""What a host says of its end; and whether it stored the accounts, and so the new passwords."""

from __future__ import annotations

from typing import Any

import pytest

from provision.apply.record import Record, end_of
from provision.hosts.playbook import Played

PACKAGES = {"type": "task_start", "host": "mail1", "task": "Install packages", "module": "apt"}
SWITCH = {"type": "task_start", "host": "mail1", "task": "Switch", "module": "provision_bundle"}
LOST = {"type": "unreachable", "host": "mail1", "task": "Switch", "msg": "timed out"}
CRASHED = {"type": "task_failed", "host": "mail1", "task": "Switch", "msg": "MODULE FAILURE"}


def _ended(word: str, **values: Any) -> dict[str, Any]:
    kind = "task_ok" if word == "applied" else "task_failed"
    return {"type": kind, "host": "mail1", "task": "Switch", "outcome": word, **values}


@pytest.mark.parametrize(
    ("events", "took"),
    [
        ([], False),
        ([PACKAGES, {**LOST, "task": "Install packages"}], False),
        ([PACKAGES, SWITCH, LOST], None),
        ([SWITCH], None),
        ([SWITCH, CRASHED], None),
        ([SWITCH, _ended("applied", accounts={"one.example": "changed"})], True),
        ([SWITCH, _ended("rolled_back", accounts={"one.example": "changed"})], True),
        ([SWITCH, _ended("rolled_back")], False),
        ([SWITCH, _ended("refused")], False),
    ],
)
def test_passwords_are_shown_where_the_host_has_them_or_may_have(
    events: list[dict[str, Any]],
    took: bool | None,  # noqa: FBT001 - a column of the table
) -> None:
    record = Record("mail1")
    for event in events:
        record.take(event)
    assert record.took_accounts is took


def test_host_that_said_nothing_ends_as_the_run_did() -> None:
    failed = end_of(Record("mail1"), Played(4, ("ERROR! no such file",), aborted=False))
    assert (failed.word, failed.lines) == ("failed", ("ERROR! no such file",))
    aborted = end_of(Record("mail1"), Played(-15, (), aborted=True))
    assert "ends whole by itself" in aborted.message
