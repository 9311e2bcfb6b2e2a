"""A change of access is kept by its confirmation or taken back, by exactly one of them."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import provision_confirm, provision_take_back, provision_unconfirmed
from ansible.module_utils.provision_confirm import confirm, verdict
from ansible.module_utils.provision_durable import read_json, write_json
from ansible.module_utils.provision_generation import Refused, current_manifest, stage
from ansible.module_utils.provision_journal import recover, switch
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_lock import held
from ansible.module_utils.provision_records import describe, outcome_of
from ansible.module_utils.provision_recover import at_boot, end_interrupted
from ansible.module_utils.provision_take_back import take_back, watch
from ansible.module_utils.provision_unconfirmed import (
    boottime,
    read_unconfirmed,
    seconds_left,
    start_watch,
    wait_for_confirmation,
)

from tests.unit.playbooks.small_host import HOLDER, NEW, OLD, asking, bring, killed_before, tree_of

RUN = "0badcafe"
PROGRAMS = ("gpasswd", "systemctl", "systemd-run")


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This machine's systemd is left alone: its programs are here, and write down what is asked."""
    folder = tmp_path / "programs"
    folder.mkdir()
    asked = tmp_path / "asked"
    for name in PROGRAMS:
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {asked}\ntest ! -e {folder}/broken\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    monkeypatch.setattr("ansible.module_utils.provision_commands._ENVIRONMENT", environment)
    return asked


def _request(layout: Layout, seconds: int = 60) -> Any:
    accounts = {"sites": {}, "removed": [], "mend": False, "expected": {}}
    meta = {"holder": {**HOLDER, "id": RUN}, "plan": "digest"}
    number = current_manifest(layout)["generation"]
    values = {"accounts": accounts, "meta": meta, "confirm_seconds": seconds}
    return asking(NEW, number, **values)


def _armed(layout: Layout, seconds: int = 60) -> int:
    """The old files, then a watch and the new ones; not proved yet."""
    bring(layout, OLD)
    script = layout.root / "etc/provision/recover.py"
    script.parent.mkdir()
    script.write_text("# knows --watch")
    request, number = _request(layout, seconds), 2
    stage(layout, number, request)
    describe(layout, number, request)
    start_watch(layout, number, request)
    switch(layout, number, request)
    script.unlink()
    script.parent.rmdir()
    return number


def _waiting(layout: Layout, seconds: int = 60) -> int:
    number = _armed(layout, seconds)
    wait_for_confirmation(layout, {"steps": [], "replaced": ["/etc/a.conf"]})
    return number


def _run_out(layout: Layout) -> None:
    state = read_unconfirmed(layout)
    write_json(layout.unconfirmed, {**state, "deadline": boottime() - 1})


def _audited(layout: Layout) -> list[str]:
    return [json.loads(line)["outcome"] for line in layout.audit.read_text().splitlines()]


def test_watch_is_started_by_systemd_before_anything_changes(
    layout: Layout, programs: Path
) -> None:
    _armed(layout)
    (line,) = [x for x in programs.read_text().splitlines() if x.startswith("systemd-run")]
    assert f"--unit=provision-watch-{RUN}" in line
    assert "--on-active=60s" in line
    assert line.endswith(f"{layout.watch} --watch {RUN}")
    assert layout.watch.read_text() == "# knows --watch"


def test_without_a_watch_nothing_is_changed(layout: Layout, programs: Path) -> None:
    (programs.parent / "programs/broken").touch()
    with pytest.raises(Refused, match="cannot be started"):
        _armed(layout)
    assert (read_unconfirmed(layout), current_manifest(layout)["generation"]) == (None, 1)


def test_confirmed_in_time_it_stays_and_the_watch_ends(layout: Layout, programs: Path) -> None:
    number = _waiting(layout)
    told = confirm(layout, RUN)
    assert (told["outcome"], told["generation"]) == ("applied", number)
    assert told["replaced"] == ["/etc/a.conf"]
    assert (tree_of(layout), read_unconfirmed(layout)) == (NEW, None)
    assert outcome_of(layout, number) == "applied"
    stop = f"systemctl stop -- provision-watch-{RUN}.timer provision-watch-{RUN}.service"
    assert stop in programs.read_text()
    assert not layout.watch.exists()


def test_confirming_twice_tells_the_same(layout: Layout) -> None:
    _waiting(layout)
    confirm(layout, RUN)
    assert confirm(layout, RUN)["outcome"] == "applied"
    assert _audited(layout) == ["applied"]


def test_confirmation_of_another_run_keeps_nothing(layout: Layout) -> None:
    _waiting(layout)
    assert confirm(layout, "another")["outcome"] == "unknown"
    assert read_unconfirmed(layout) is not None


def test_confirmation_that_comes_too_late_is_told_that_it_is_gone(layout: Layout) -> None:
    number = _waiting(layout)
    _run_out(layout)
    told = confirm(layout, RUN)
    assert told["outcome"] == "rolled_back"
    assert "not confirmed over a new connection within 60 s" in told["message"]
    assert (tree_of(layout), outcome_of(layout, number)) == (OLD, "rolled_back")


def test_after_the_watch_has_won_the_confirmation_reads_its_verdict(layout: Layout) -> None:
    _waiting(layout)
    _run_out(layout)
    watch(layout, RUN)
    assert confirm(layout, RUN)["outcome"] == "rolled_back"
    assert _audited(layout) == ["rolled_back"]


def test_after_the_confirmation_has_won_the_watch_finds_nothing(layout: Layout) -> None:
    _waiting(layout)
    confirm(layout, RUN)
    watch(layout, RUN)
    assert (tree_of(layout), _audited(layout)) == (NEW, ["applied"])


def test_confirmation_during_the_proof_is_told_to_come_again(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision_confirm, "_SECONDS", 0.1)
    _armed(layout)
    with held(layout, HOLDER):
        assert confirm(layout, RUN)["outcome"] == "working"
    assert read_unconfirmed(layout) is not None


def test_watch_that_fires_during_the_proof_waits_for_it(layout: Layout) -> None:
    _armed(layout)
    watching = threading.Thread(target=watch, args=(layout, RUN))
    with held(layout, HOLDER):
        watching.start()
        wait_for_confirmation(layout, {})
    confirm(layout, RUN)
    watching.join()
    assert (tree_of(layout), _audited(layout)) == (NEW, ["applied"])


def test_apply_that_died_before_its_proof_is_taken_back_by_the_watch(layout: Layout) -> None:
    number = _armed(layout)
    watch(layout, RUN)
    assert (tree_of(layout), outcome_of(layout, number)) == (OLD, "rolled_back")
    assert "cut off" in verdict(layout, RUN)["message"]


def test_next_apply_begins_with_taking_back_what_nobody_will_confirm(layout: Layout) -> None:
    number = _waiting(layout)
    assert end_interrupted(layout) == (1, number)
    assert (tree_of(layout), outcome_of(layout, number)) == (OLD, "rolled_back")
    assert "another apply came" in verdict(layout, RUN)["message"]
    assert end_interrupted(layout) == ()


def test_recovery_started_by_hand_leaves_what_may_be_confirmed(layout: Layout) -> None:
    _waiting(layout)
    assert at_boot(layout) == ""
    assert confirm(layout, RUN)["outcome"] == "applied"


def test_another_boot_takes_it_back_before_its_time(layout: Layout) -> None:
    number = _waiting(layout)
    write_json(layout.unconfirmed, {**read_unconfirmed(layout), "boot": "another"})
    assert "restarted before" in at_boot(layout)
    assert (tree_of(layout), outcome_of(layout, number)) == (OLD, "rolled_back")
    assert at_boot(layout) == ""


def test_boot_recovery_that_an_apply_starts_leaves_that_apply_alone(layout: Layout) -> None:
    _armed(layout)
    with held(layout, HOLDER):
        assert at_boot(layout) == ""
    assert tree_of(layout) == NEW


def test_killed_before_the_switch_there_is_nothing_to_put_back(layout: Layout) -> None:
    bring(layout, OLD)
    (layout.root / "etc/provision").mkdir()
    (layout.root / "etc/provision/recover.py").write_text("--watch")
    stage(layout, 2, _request(layout))
    start_watch(layout, 2, _request(layout))
    watch(layout, RUN)
    assert current_manifest(layout)["generation"] == 1
    assert read_unconfirmed(layout) is None


def test_taking_back_that_is_killed_is_done_again_by_the_next(layout: Layout) -> None:
    number = _waiting(layout)
    _run_out(layout)
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
    _waiting(layout)
    state = {**read_unconfirmed(layout), "arriving": ["provision-firewall.service"]}
    write_json(layout.unconfirmed, state)
    _run_out(layout)
    watch(layout, RUN)
    lines = programs.read_text().splitlines()
    stop = lines.index("systemctl disable --now -- provision-firewall.service")
    assert stop < lines.index("systemctl daemon-reload")


def test_users_leave_the_groups_of_power_that_they_had_joined(
    layout: Layout, programs: Path
) -> None:
    _waiting(layout)
    state = read_unconfirmed(layout)
    state["request"]["joining"] = {"second": ["adm", "sudo"]}
    write_json(layout.unconfirmed, state)
    _run_out(layout)
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
    _waiting(layout)
    state = read_unconfirmed(layout)
    units = ["postfix.service", "provision-firewall.service", "nginx.service"]
    state["request"]["unit_actions"] = [[unit, "reload"] for unit in units]
    write_json(layout.unconfirmed, state)
    _run_out(layout)
    told = confirm(layout, RUN)
    assert moved == ["provision-firewall.service", "postfix.service", "nginx.service"]
    assert told["outcome"] == "needs_person"
    assert tree_of(layout) == OLD


def test_time_counts_from_the_proof_by_a_clock_that_nobody_sets(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    _armed(layout, seconds=60)
    assert seconds_left(read_unconfirmed(layout)) == 0
    wait_for_confirmation(layout, {})
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert 59 < seconds_left(read_unconfirmed(layout)) <= 60
    state = read_json(layout.unconfirmed)
    assert provision_unconfirmed.boottime() + 60 >= state["deadline"]


def test_what_waits_is_readable_by_root_alone(layout: Layout) -> None:
    _waiting(layout)
    assert layout.unconfirmed.stat().st_mode & 0o077 == 0


def test_change_is_taken_back_once_though_nothing_can_be_written_down(layout: Layout) -> None:
    """As on a full disk: the watch would come again and again, and restart every unit each time."""
    _waiting(layout)
    _run_out(layout)
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
