"""One host alone first, the others in batches; a share of them is rounded down."""

from __future__ import annotations

import pytest

from provision.apply.rollout import BatchSize, Rollout

HOSTS = tuple(f"mail{number}" for number in range(1, 8))


def _hosts(rollout: Rollout, hosts: tuple[str, ...] = HOSTS) -> list[list[str]]:
    return [[*batch.hosts] for batch in rollout.batches(hosts)]


def test_first_host_that_changes_is_the_canary() -> None:
    batches = Rollout(size=BatchSize(4)).batches(HOSTS)
    assert [batch.is_canary for batch in batches] == [True, False, False]
    assert [len(batch.hosts) for batch in batches] == [1, 4, 2]
    assert batches[0].hosts == ("mail1",)


def test_named_canary_goes_first_and_the_others_keep_their_order() -> None:
    found = _hosts(Rollout(canary="mail3", size=BatchSize(3)))
    assert found == [["mail3"], ["mail1", "mail2", "mail4"], ["mail5", "mail6", "mail7"]]


def test_named_canary_that_is_as_asked_already_holds_nobody_up() -> None:
    assert _hosts(Rollout(canary="mail9")) == [[*HOSTS]]


def test_one_host_is_nobodys_canary() -> None:
    batches = Rollout().batches(("mail1",))
    assert [(batch.hosts, batch.is_canary) for batch in batches] == [(("mail1",), False)]


def test_without_canary_the_first_batch_is_full() -> None:
    assert _hosts(Rollout(has_canary=False, size=BatchSize(5))) == [[*HOSTS[:5]], [*HOSTS[5:]]]


def test_no_host_no_batch() -> None:
    assert Rollout().batches(()) == ()


@pytest.mark.parametrize(
    ("text", "count", "size"),
    [("3", 100, 3), ("25%", 20, 5), ("25%", 7, 1), ("10%", 4, 1), ("100%", 9, 9)],
)
def test_share_is_of_the_hosts_that_change(text: str, count: int, size: int) -> None:
    assert BatchSize.parse(text).of(count) == size


@pytest.mark.parametrize("text", ["0", "-1", "101%", "0%", "ten", "1.5", "", "5 %", "٣"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="^" + text.replace("+", ".")):
        BatchSize.parse(text)
