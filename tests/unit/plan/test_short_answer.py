"""A host's answer in short says what the long one says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provision.hosts.observer_script import in_short
from provision.plan.state import HostState
from tests.unit.plan.estate import MAIN, reply


def _told(entry: dict[str, Any]) -> dict[str, Any]:
    files = reply()["files"]
    return reply(files={**files, MAIN.path: {**files[MAIN.path], **entry}})


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"mode": 0o600},
        {"owner": "nobody"},
        {"group": "nogroup"},
        {"sha256": "0" * 64},
        {"sha256": "0" * 64, "content": "YQ=="},
        {"kind": "symlink", "sha256": ""},
        {"content": "YQ=="},
    ],
)
def test_short_answer_is_read_as_the_long_one(entry: dict[str, Any]) -> None:
    short = in_short(_told(entry))
    assert HostState.parse(json.loads(json.dumps(short))) == HostState.parse(_told(entry))


def test_only_files_as_recorded_are_shortened() -> None:
    assert in_short(_told({}))["files"][MAIN.path] is True
    assert in_short(_told({"mode": 0o600}))["files"][MAIN.path] is not True


def test_host_that_needs_the_whole_question_is_passed_on() -> None:
    assert in_short({"unknown_base": True}) == {"unknown_base": True}
