"""An apply that is interrupted ends old or new, serves mail, and the next one ends as undisturbed.

The most dangerous steps of each sweep; ``make torture`` tries every step.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provision.lab.breakpoint import Step, set_breakpoint, standing_at
from tests.lab.rehearsal import HOST, Rehearsal
from tests.torture.stage import Stage, ended, staged, wait_until
from tests.torture.sweeps import try_point

pytestmark = pytest.mark.lab

OLD, NEW, EITHER = {"old"}, {"new"}, {"old", "new"}
POINTS = [
    ("power", "rename to /etc/postfix/master.cf", OLD),
    ("power", "remove /var/lib/provision/journal.json", OLD),
    ("power", "rename /etc/postfix/accounts/.build/mailboxes.cdb", NEW),
    ("kill", "bring the bundle", OLD),
    ("kill", "rename to /etc/postfix/master.cf", NEW),
    ("network", "reload postfix.service", NEW),
    ("network", "rename to /var/lib/provision/accounts/intent.json", NEW),
]
"""Disaster, step, and how the host must be found: by itself, before anybody applies again."""


@pytest.fixture(scope="module")
def stage(rehearsal: Rehearsal) -> Iterator[Stage]:
    """The rehearsed host between two states; as it was before at the end."""
    with staged(rehearsal) as stage:
        stage.learn()
        yield stage


def _step(stage: Stage, name: str) -> Step:
    return next(step for step in stage.steps[stage.other] if step.name.startswith(name))


@pytest.mark.parametrize(("sweep", "name", "ends"), POINTS)
def test_interrupted_apply_ends_whole_and_the_next_one_as_undisturbed(
    stage: Stage, sweep: str, name: str, ends: set[str]
) -> None:
    before = stage.state
    point = try_point(stage, sweep, _step(stage, name))
    if point.fault:
        stage.mend()
    assert point.fault == ""
    assert ("old" if point.found == before else "new") in ends


def test_every_kind_of_side_effect_is_a_step(stage: Stage) -> None:
    names = [step.name for step in (*stage.steps["A"], *stage.steps["B"])]
    for start in (
        "bring the bundle",
        "write /run/provision/holder.json",
        "directory /var/lib/provision/generations/",
        "rename to /var/lib/provision/pending.json",
        "rename to /var/lib/provision/journal.json",
        "rename to /etc/postfix/master.cf",
        "remove /etc/nginx/provision/webmail-green.example.conf",
        "link /var/lib/provision/current",
        "reload postfix.service",
        "rename to /var/lib/provision/accounts/intent.json",
        "remove /var/lib/provision/journal.json",
        "rename to /etc/dovecot/accounts/green.example.passwd",
        "build /etc/postfix/accounts/.build/mailboxes.cdb",
        "rename /var/mail/provision/blue.example/olga to /var/mail/provision/.archive/",
        "remove /var/lib/provision/pending.json",
        "rename to /var/lib/provision/generations/",
        "write the audit line",
    ):
        assert any(name.startswith(start) for name in names), start
    assert [step.number for step in stage.steps["A"]] == list(range(1, len(stage.steps["A"]) + 1))


def test_cable_that_stays_out_ends_the_apply_by_itself(stage: Stage) -> None:
    """The controller gives up and says so; the host goes on alone and is whole."""
    stage.ask_for(stage.other)
    set_breakpoint(stage.lab, HOST, "reload nginx.service")
    with ended(stage.start_apply()) as command:
        wait_until(lambda: standing_at(stage.lab, HOST) is not None, what="the reload")
        stage.lab.unplug(HOST)
        try:
            stage.lab.run(HOST, ["rm", "/run/provision/breakpoint.json"])
            code, said = command.end(within=120)
        finally:
            stage.lab.plug(HOST)
    assert code == 5
    assert "the host ends whole by itself, apply again" in said
    stage.wait_for_quiet()
    stage.apply()
    assert stage.plan() == ""
