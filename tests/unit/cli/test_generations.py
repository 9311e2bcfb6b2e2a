"""What history, status and drift show to people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provision.cli import drift, history, status
from provision.plan.drift import find_drift
from provision.plan.show import Line
from tests.unit.plan.estate import KEY, MAIN
from tests.unit.plan.memories import file_state, generation, memory, text


def _text(lines: Iterable[Line]) -> list[str]:
    return [line.text for line in lines if line.text]


def test_history_shows_the_newest_first_and_marks_the_live_one() -> None:
    generations = [
        generation(3),
        generation(4, rollback_of=2, previous=3),
        generation(5, outcome="refused", message="broken", changes={"created": ["/a", "/b"]}),
    ]
    assert _text(history._lines("mail1", memory(generations=generations))) == [
        "mail1",
        "     5  2026-11-05T08:00:00Z  ops@desk  c0ffee5  refused: files 2 created",
        "        broken",
        "*    4  2026-11-04T08:00:00Z  ops@desk  c0ffee4  applied: back to 2, files 1 updated",
        "     3  2026-11-03T08:00:00Z  ops@desk  c0ffee3  applied: files 1 updated",
    ]


def test_history_document_has_all_of_a_generation() -> None:
    document = memory().generations[-1].as_json()
    assert document == {**generation(4), "changes": document["changes"]}
    assert document["changes"] == {"created": [], "updated": [MAIN.path], "removed": []}


def test_history_of_a_bare_host_says_what_is_next() -> None:
    bare = memory({"generation": 0, "files": {}}, generations=[], base=None)
    assert "provision apply" in _text(history._lines("mail1", bare))[-1]


def test_status_of_a_good_host_is_two_lines() -> None:
    assert _text(status._lines("mail1", memory())) == [
        "mail1: generation 4, since 2026-11-04T08:00:00Z by ops@desk at commit c0ffee4",
        "  no drift",
    ]


def test_status_tells_all_that_is_unfinished() -> None:
    state: dict[str, Any] = {
        "files": file_state(MAIN.path, None, mode=0o666),
        "holder": {"who": "eve@desk", "words": "eve@desk is applying to this host"},
        "hold": {"who": "bob@desk", "words": "bob@desk holds this host: new disk"},
        "switch_interrupted": True,
        "pending": [["postfix.service", "reload"]],
    }
    last = {"when": "later", "who": "bob@desk", "outcome": "applied", "staged": False}
    assert _text(status._lines("mail1", memory(state, last=last)))[1:] == [
        "  last: later by bob@desk, applied",
        "  eve@desk is applying to this host",
        "  bob@desk holds this host: new disk",
        "  a switch was interrupted; the next apply or reboot ends it",
        "  pending: reload postfix.service",
        "  drift: 2 things are not as it left them; see provision drift",
    ]


def test_status_document_has_all_of_it() -> None:
    document = status._as_json("mail1", memory())
    assert document == {
        "host": "mail1",
        "generation": 4,
        "since": "2026-11-04T08:00:00Z",
        "who": "ops@desk",
        "commit": "c0ffee4",
        "rollback_of": None,
        "last_apply": None,
        "holder": None,
        "hold": None,
        "switch_interrupted": False,
        "pending": [],
        "drift": 0,
    }


def test_drift_shows_diffs_and_no_secret() -> None:
    files = {
        **file_state(MAIN.path, b"relay = yes\n"),
        KEY.path: file_state(KEY.path, b"canary-new\n")[KEY.path],
    }
    remembered = memory({"files": files}, contents={MAIN.path: text(MAIN.content)})
    shown = _text(drift._lines("mail1", remembered, find_drift(remembered)))
    assert shown[0] == "mail1 (generation 4)"
    assert f"  file {KEY.path}: changed (secret changed)" in shown
    assert "      +relay = yes" in shown
    assert "canary" not in "".join(shown)


def test_drift_of_a_good_host_says_so() -> None:
    assert _text(drift._lines("mail1", memory(), ())) == [
        "mail1: no drift, all is as generation 4 left it"
    ]
