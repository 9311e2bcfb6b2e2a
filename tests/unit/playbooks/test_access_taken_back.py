"""A change of access that nobody confirms is taken back whole and once, by whoever comes first."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.module_utils import provision_take_back
from ansible.module_utils.provision_confirm import confirm, verdict
from ansible.module_utils.provision_durable import write_json
from ansible.module_utils.provision_generation import current_manifest, stage
from ansible.module_utils.provision_journal import recover, switch
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_lock import held
from ansible.module_utils.provision_records import describe, outcome_of
from ansible.module_utils.provision_recover import at_boot, end_interrupted
from ansible.module_utils.provision_take_back import take_back, watch
from ansible.module_utils.provision_unconfirmed import read_unconfirmed, start_watch

from tests.unit.playbooks import unconfirmed_change
from tests.unit.playbooks.small_host import HOLDER, NEW, OLD, asking, bring, killed_before, tree_of
from tests.unit.playbooks.unconfirmed_change import RUN, armed, request_of, run_out, waiting

programs = unconfirmed_change.programs  # fixture: what this machine's systemd would be asked


def test_apply_that_died_before_its_proof_is_taken_back_by_the_watch(layout: Layout) -> None:
    number = armed(layout)
    watch(layout, RUN)
    assert (tree_of(layout), outcome_of(layout, number)) == (OLD, "rolled_back")
    assert "cut off" in verdict(layout, RUN)["message"]


def test_next_apply_begins_with_taking_back_what_nobody_will_confirm(layout: Layout) -> None:
    number = waiting(layout)
    assert end_interrupted(layout) == (1, number)
    assert (tree_of(layout), outcome_of(layout, number)) == (OLD, "rolled_back")
    assert "another apply came" in verdict(layout, RUN)["message"]
    assert end_interrupted(layout) == ()


def test_recovery_started_by_hand_leaves_what_may_be_confirmed(layout: Layout) -> None:
    waiting(layout)
    assert at_boot(layout) == ""
    assert confirm(layout, RUN)["outcome"] == "applied"


def test_another_boot_takes_it_back_before_its_time(layout: Layout) -> None:
    number = waiting(layout)
    write_json(layout.unconfirmed, {**read_unconfirmed(layout), "boot": "another"})
    assert "restarted before" in at_boot(layout)
    assert (tree_of(layout), outcome_of(layout, number)) == (OLD, "rolled_back")
    assert at_boot(layout) == ""


def test_boot_recovery_that_an_apply_starts_leaves_that_apply_alone(layout: Layout) -> None:
    armed(layout)
    with held(layout, HOLDER):
        assert at_boot(layout) == ""
    assert tree_of(layout) == NEW


def test_killed_before_the_switch_there_is_nothing_to_put_back(layout: Layout) -> None:
    bring(layout, OLD)
    (layout.root / "etc/provision").mkdir()
    (layout.root / "etc/provision/recover.py").write_text("--watch")
    stage(layout, 2, request_of(layout))
    start_watch(layout, 2, request_of(layout))
    watch(layout, RUN)
    assert current_manifest(layout)["generation"] == 1
    assert read_unconfirmed(layout) is None


def test_taking_back_that_is_killed_is_done_again_by_the_next(layout: Layout) -> None:
    number = waiting(layout)
    run_out(layout)
    step = 0

    def again() -> None:
        state = read_unconfirmed(layout)
        if state is not None:
            take_back(layout, state)

    while killed_before(step, again):
        assert read_unconfirmed(layout) is not None or tree_of(layout) == OLD
        step += 1
    assert step > 5
    assert (tree_of(layout), outcome_of(layout, number)) == (OLD, "rolled_back")


def test_arriving_units_stop_before_their_files_go(layout: Layout, programs: Path) -> None:
    waiting(layout)
    state = {**read_unconfirmed(layout), "arriving": ["provision-firewall.service"]}
    write_json(layout.unconfirmed, state)
    run_out(layout)
    watch(layout, RUN)
    lines = programs.read_text().splitlines()
    stop = lines.index("systemctl disable --now -- provision-firewall.service")
    assert stop < lines.index("systemctl daemon-reload")


def test_users_leave_the_groups_of_power_that_they_had_joined(
    layout: Layout, programs: Path
) -> None:
    waiting(layout)
    state = read_unconfirmed(layout)
    state["request"]["joining"] = {"second": ["adm", "sudo"]}
    write_json(layout.unconfirmed, state)
    run_out(layout)
    assert confirm(layout, RUN)["outcome"] == "rolled_back"
    asked = [line for line in programs.read_text().splitlines() if line.startswith("gpasswd")]
    assert asked == ["gpasswd --delete second adm", "gpasswd --delete second sudo"]


def test_access_comes_back_first_whatever_else_fails(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[str] = []

    def activate(actions: list[list[str]], *, heed: bool) -> None:
        assert not heed, "the journal still tells of the files that failed"
        moved.extend(unit for unit, _verb in actions)
        if actions[0][0] == "postfix.service":
            raise provision_take_back.Failure("postfix.service: did not start", [])

    monkeypatch.setattr(provision_take_back, "activate", activate)
    waiting(layout)
    state = read_unconfirmed(layout)
    units = ["postfix.service", "provision-firewall.service", "nginx.service"]
    state["request"]["unit_actions"] = [[unit, "reload"] for unit in units]
    write_json(layout.unconfirmed, state)
    run_out(layout)
    told = confirm(layout, RUN)
    assert moved == ["provision-firewall.service", "postfix.service", "nginx.service"]
    assert told["outcome"] == "needs_person"
    assert tree_of(layout) == OLD


def test_change_is_taken_back_once_though_nothing_can_be_written_down(layout: Layout) -> None:
    """As on a full disk: the watch would come again and again, and restart every unit each time."""
    waiting(layout)
    run_out(layout)
    layout.audit.unlink(missing_ok=True)
    layout.audit.mkdir()
    assert confirm(layout, RUN)["outcome"] == "rolled_back"
    assert (tree_of(layout), read_unconfirmed(layout)) == (OLD, None)


def test_unit_that_a_switch_has_enabled_comes_up_at_no_boot_when_it_is_undone(
    layout: Layout, programs: Path
) -> None:
    bring(layout, OLD)
    request, broken = asking(NEW, 1, units=["new.service"]), programs.parent / "programs/broken"
    stage(layout, 2, request)
    describe(layout, 2, request)
    broken.touch()  # it is not enabled yet
    switch(layout, 2, request)
    broken.unlink()
    programs.write_text("")
    recover(layout)
    assert programs.read_text().splitlines()[0] == "systemctl disable -- new.service"
    assert tree_of(layout) == OLD
