"""What is told of a refused lock, and what a turn makes of it."""

from __future__ import annotations

import pytest

from provision.apply.locking import Locks, refusal
from provision.apply.outcome import HostOutcome
from provision.cli.turn import Turn, moved_hosts
from provision.errors import ExitCode, HostUnreachable, Refused
from provision.plan.change import HostPlan, Plan

HOLDER = {"id": "9f86d081", "words": "ada@desk (198.18.0.1) is applying to this host"}


def test_refusal_says_who_and_what_to_do_and_means_exit_6() -> None:
    outcome = refusal("mail1", {"reason": "lock", "holder": HOLDER})
    assert outcome.exit_code is ExitCode.REFUSED
    assert outcome.message == HOLDER["words"]
    assert outcome.lines == (
        "wait for it: add --lock-timeout 10m",
        "if it is lost for good: provision unlock mail1 9f86d081",
    )


def test_refusal_by_one_without_an_id_offers_no_unlock() -> None:
    outcome = refusal("mail1", {"reason": "lock", "holder": {"id": "", "words": "somebody"}})
    assert len(outcome.lines) == 1


def test_refusal_by_a_hold_says_when_it_ends_and_never_to_wait() -> None:
    hold = {"until": "2026-11-23T21:07:00Z", "words": "ada@desk holds this host: new disk"}
    outcome = refusal("mail1", {"reason": "hold", "hold": hold})
    assert outcome.message.endswith("new disk")
    assert not any("--lock-timeout" in line for line in outcome.lines)
    assert "provision hold mail1 --release" in outcome.lines[0]


def test_command_with_one_host_needs_its_lock() -> None:
    locks = Locks(refusals={"mail1": refusal("mail1", {"reason": "lock", "holder": HOLDER})})
    with pytest.raises(Refused, match="is applying to this host"):
        locks.require_all()
    unreached = HostOutcome("mail1", "unreachable", "mail1: no answer within 10 s")
    with pytest.raises(HostUnreachable, match="no answer"):
        Locks(refusals={"mail1": unreached}).require_all()
    Locks(generations={"mail1": 1}).require_all()


def test_only_hosts_that_were_waited_for_or_have_moved_are_looked_at_again() -> None:
    plan = Plan(tuple(HostPlan(f"mail{n}", 4, ()) for n in range(1, 5)))
    locks = Locks(generations={"mail1": 4, "mail2": 5, "mail3": 4}, waited={"mail3", "mail4"})
    assert moved_hosts(plan, locks) == ("mail2", "mail3")


def test_refused_canary_keeps_the_others_from_starting() -> None:
    mine = Turn(Plan(()), refusals=[HostOutcome("mail1", "refused")])
    assert mine.why_not("mail1") == "the canary mail1 was refused"
    assert mine.why_not("mail2") == ""
    assert mine.why_not(None) == ""
