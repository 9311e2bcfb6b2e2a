"""Hosts are reached all at the same time; what they say is read one at a time."""

from __future__ import annotations

import threading

from provision.errors import HostUnreachable
from provision.hosts.observe import on_each
from provision.hosts.target import Target

TARGETS = [Target(f"mail{number}", f"198.18.0.{number}", 22, "root") for number in range(1, 101)]


def test_hundred_hosts_that_never_answer_cost_one_timeout_together() -> None:
    all_waiting = threading.Barrier(len(TARGETS))

    def reach(target: Target) -> None:
        all_waiting.wait(timeout=60)  # opens only when every host is being waited for
        raise HostUnreachable(f"{target.name}: no answer")

    results, failures = on_each(TARGETS, reach, lambda _target, answer: answer)
    assert not results
    assert list(failures) == [target.name for target in TARGETS]


def test_answers_are_read_one_at_a_time_in_the_thread_that_asks() -> None:
    readers: list[threading.Thread] = []

    def read(target: Target, answer: str) -> str:
        readers.append(threading.current_thread())
        return f"{target.name} says {answer}"

    results, failures = on_each(TARGETS, lambda target: target.address, read)
    assert not failures
    assert set(readers) == {threading.current_thread()}
    assert list(results) == [target.name for target in TARGETS]
    assert results["mail7"] == "mail7 says 198.18.0.7"


def test_answer_that_cannot_be_read_fails_for_its_host_alone() -> None:
    def read(target: Target, answer: str) -> str:
        if target.name == "mail2":
            raise HostUnreachable("mail2 said nothing useful")
        return answer

    results, failures = on_each(TARGETS[:3], lambda target: target.address, read)
    assert list(results) == ["mail1", "mail3"]
    assert list(failures) == ["mail2"]
