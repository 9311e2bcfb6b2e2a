"""Once too many hosts have failed, or a person has interrupted, no further host is started."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import Any

import pytest

from provision.apply.batches import Rolling
from provision.apply.outcome import Applied, HostOutcome, worst
from provision.apply.rollout import BatchSize, Rollout, without_canary
from provision.errors import ExitCode
from provision.hosts.interrupts import Interrupts
from provision.model.secret import Secret
from provision.plan.change import Action, Change, HostPlan, Kind, Plan

HOSTS = tuple(f"mail{number}" for number in range(1, 8))


@dataclass
class Fleet:
    """Hosts that end as they are told to, and what was asked of them."""

    words: dict[str, str] = field(default_factory=dict)
    interrupt_at: str = ""
    started: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def start(self, hosts: tuple[str, ...]) -> Applied:
        self.started += hosts
        if self.interrupt_at in hosts:
            os.kill(os.getpid(), signal.SIGINT)
        outcomes = tuple(HostOutcome(host, self.words.get(host, "applied")) for host in hosts)
        return Applied(outcomes, {f"new@{host}": Secret(host) for host in hosts})

    def apply(self, rollout: Rollout) -> Applied:
        def take(event: Any) -> None:
            self.events.append(dict(event))

        with Interrupts(take) as interrupts:
            return Rolling(rollout, interrupts, take).over(HOSTS, self.start)


def _not_started(applied: Applied) -> dict[str, str]:
    return {o.host: o.message for o in applied.outcomes if o.word == "not_started"}


def test_failed_canary_leaves_the_others_alone_whatever_may_fail() -> None:
    fleet = Fleet({"mail1": "rolled_back"})
    applied = fleet.apply(Rollout(max_failures=5))
    assert fleet.started == ["mail1"]
    assert _not_started(applied) == dict.fromkeys(HOSTS[1:], "the canary mail1 failed")
    assert worst(applied.outcomes) is ExitCode.ROLLED_BACK


def test_first_failure_ends_its_batch_and_starts_no_other() -> None:
    fleet = Fleet({"mail2": "refused"})
    applied = fleet.apply(Rollout(size=BatchSize(2)))
    assert fleet.started == ["mail1", "mail2", "mail3"]
    assert _not_started(applied) == dict.fromkeys(HOSTS[3:], "mail2 failed")
    assert [o.host for o in applied.outcomes] == [*HOSTS]
    assert worst(applied.outcomes) is ExitCode.REFUSED


def test_so_many_may_fail_and_one_more_may_not() -> None:
    fleet = Fleet({"mail2": "unreachable", "mail3": "failed"})
    applied = fleet.apply(Rollout(size=BatchSize(1), max_failures=1))
    assert fleet.started == ["mail1", "mail2", "mail3"]
    reason = "mail2, mail3 failed, more than the 1 that may"
    assert _not_started(applied) == dict.fromkeys(HOSTS[3:], reason)

    allowed = Fleet({"mail2": "unreachable", "mail3": "failed"})
    assert not _not_started(allowed.apply(Rollout(size=BatchSize(1), max_failures=2)))


def test_interrupted_once_ends_the_batch_at_work_and_starts_no_other() -> None:
    fleet = Fleet(interrupt_at="mail2")
    applied = fleet.apply(Rollout(size=BatchSize(3)))
    assert applied.interrupted
    assert fleet.started == ["mail1", "mail2", "mail3", "mail4"]
    assert _not_started(applied) == dict.fromkeys(HOSTS[4:], "interrupted before its turn")
    assert {"type": "interrupted", "count": 1} in fleet.events


def test_reason_that_came_first_is_the_one_told() -> None:
    fleet = Fleet({"mail1": "failed"}, interrupt_at="mail1")
    assert set(_not_started(fleet.apply(Rollout())).values()) == {"the canary mail1 failed"}


def test_interrupted_at_the_very_end_everything_is_done() -> None:
    fleet = Fleet(interrupt_at="mail7")
    applied = fleet.apply(Rollout())
    assert applied.interrupted
    assert {o.word for o in applied.outcomes} == {"applied"}


def test_passwords_of_every_batch_that_was_started_are_told() -> None:
    applied = Fleet({"mail2": "failed"}).apply(Rollout(size=BatchSize(2)))
    assert sorted(applied.generated) == ["new@mail1", "new@mail2", "new@mail3"]


def test_every_batch_is_told_as_it_begins() -> None:
    fleet = Fleet()
    fleet.apply(Rollout(size=BatchSize(4)))
    assert [(e["number"], e["of"], e["canary"], len(e["hosts"])) for e in fleet.events] == [
        (1, 3, True, 1),
        (2, 3, False, 4),
        (3, 3, False, 2),
    ]


def _plan(*names: str) -> Plan:
    change = Change(Kind.PACKAGE, "postfix", Action.CREATE)
    return Plan(tuple(HostPlan(name, 1, (change,)) for name in names))


def test_named_canary_that_is_not_reached_starts_nobody() -> None:
    outcomes = without_canary(Rollout(canary="mail1"), _plan("mail2", "mail3"), {"mail1"})
    assert {o.message for o in outcomes} == {"the canary mail1 was not reached"}
    assert [o.host for o in outcomes] == ["mail2", "mail3"]


@pytest.mark.parametrize("rollout", [Rollout(), Rollout(canary="mail2")])
def test_other_hosts_that_are_not_reached_hold_nobody_up(rollout: Rollout) -> None:
    assert without_canary(rollout, _plan("mail2"), {"mail1"}) == ()


def test_host_that_was_not_started_never_hides_one_that_failed() -> None:
    outcomes = [HostOutcome("mail1", "refused"), HostOutcome("mail2", "not_started")]
    assert worst(outcomes) is ExitCode.REFUSED
    assert worst(outcomes[1:]) is ExitCode.INTERRUPTED
