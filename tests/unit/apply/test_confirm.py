"""The outcome of a host whose end was open is what the host itself says; or that it is silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from provision.apply import confirm as module
from provision.apply.confirm import Awaited, Settling
from provision.apply.outcome import HostOutcome
from provision.errors import HostUnreachable
from provision.hosts.connection import Connection
from provision.hosts.interrupts import Interrupts
from provision.model.address import Domain
from provision.model.fleet import Host, Release

HOST = Host("mail1", "192.0.2.10", Domain("mail1.example.net"), Release.DEBIAN13)
GONE = HostUnreachable("mail1: no answer within 10 s")
APPLIED = {"outcome": "applied", "message": "", "generation": 2, "replaced": ["/etc/a"]}
BACK = {"outcome": "rolled_back", "message": "not confirmed", "generation": 1, "lines": []}
WORKING = {"outcome": "working", "message": "the proof goes on"}
UNKNOWN = {"outcome": "unknown", "message": "", "generation": 1}
SWITCHED = {"type": "task_ok", "host": "mail1", "outcome": "unconfirmed"}
CUT = {"type": "unreachable", "host": "mail1"}
Answer = Mapping[str, Any] | HostUnreachable


@pytest.fixture
def heard() -> list[Mapping[str, Any]]:
    return []


def _settle(
    monkeypatch: pytest.MonkeyPatch,
    heard: list[Mapping[str, Any]],
    event: Mapping[str, Any],
    *answers: Answer,
    seconds: int = 0,
) -> HostOutcome:
    """How the host ended that answers so, one time after the other; the last answer stays."""
    left: Iterator[Answer] = iter(answers)
    last: list[Answer] = [answers[-1]]

    def answer(*_: object) -> Mapping[str, Any]:
        found = next(left, last[0])
        if isinstance(found, HostUnreachable):
            raise found
        return found

    monkeypatch.setattr(module, "confirm", answer)
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.2)
    connection = Connection(Path("known_hosts"))
    settling = Settling(connection, "run", {"mail1": Awaited(HOST, seconds)}, heard.append)
    settling.take({"type": "task_start", "host": "mail1"})
    settling.take(event)
    settling.take(event)
    ended = [HostOutcome("mail1", "failed"), HostOutcome("mail2", "applied")]
    first, second = settling.settled(ended, Interrupts(heard.append))
    assert second == ended[1]
    return first


def test_success_is_said_when_the_host_says_so(
    monkeypatch: pytest.MonkeyPatch, heard: list[Mapping[str, Any]]
) -> None:
    ended = _settle(monkeypatch, heard, SWITCHED, APPLIED, seconds=60)
    assert (ended.word, ended.generation, ended.replaced) == ("applied", 2, ("/etc/a",))
    assert [event["message"] for event in heard] == ["confirming over a new connection"]


def test_host_that_went_back_says_so_with_what_kept_us_out(
    monkeypatch: pytest.MonkeyPatch, heard: list[Mapping[str, Any]]
) -> None:
    ended = _settle(monkeypatch, heard, SWITCHED, GONE, BACK, seconds=60)
    assert (ended.word, ended.message, ended.lines) == (
        "rolled_back",
        "not confirmed",
        (GONE.message,),
    )
    assert "it goes back by itself within 60 s" in heard[-1]["message"]


def test_proof_that_goes_on_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, heard: list[Mapping[str, Any]]
) -> None:
    ended = _settle(monkeypatch, heard, CUT, *[WORKING] * 50, APPLIED)
    assert ended.word == "applied"


def test_host_that_stays_away_after_its_time_needs_a_person(
    monkeypatch: pytest.MonkeyPatch, heard: list[Mapping[str, Any]]
) -> None:
    ended = _settle(monkeypatch, heard, SWITCHED, GONE, seconds=0)
    assert (ended.word, ended.lines) == ("needs_person", (GONE.message,))


def test_host_that_stays_away_and_may_not_have_switched_is_unreachable(
    monkeypatch: pytest.MonkeyPatch, heard: list[Mapping[str, Any]]
) -> None:
    assert _settle(monkeypatch, heard, CUT, GONE).word == "unreachable"


def test_host_that_never_heard_of_the_apply_has_changed_nothing(
    monkeypatch: pytest.MonkeyPatch, heard: list[Mapping[str, Any]]
) -> None:
    ended = _settle(monkeypatch, heard, CUT, UNKNOWN)
    assert ended.word == "unreachable"
    assert "before anything was switched" in ended.message


def test_module_that_only_starts_is_not_taken_for_one_that_never_came(
    monkeypatch: pytest.MonkeyPatch, heard: list[Mapping[str, Any]]
) -> None:
    assert _settle(monkeypatch, heard, CUT, UNKNOWN, APPLIED).word == "applied"


def test_cut_in_the_middle_of_the_switch_is_no_success(
    monkeypatch: pytest.MonkeyPatch, heard: list[Mapping[str, Any]]
) -> None:
    ended = _settle(monkeypatch, heard, CUT, {**UNKNOWN, "outcome": "interrupted"})
    assert ended.word == "failed"


def test_second_interrupt_ends_the_waiting(
    monkeypatch: pytest.MonkeyPatch, heard: list[Mapping[str, Any]]
) -> None:
    monkeypatch.setattr(Interrupts, "is_abort", True)
    ended = _settle(monkeypatch, heard, SWITCHED, GONE, seconds=60)
    assert "aborted" in ended.message
