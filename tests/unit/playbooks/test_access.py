"""A change of access is kept by its confirmation or taken back, by exactly one of them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from ansible.module_utils import provision_confirm, provision_unconfirmed
from ansible.module_utils.provision_confirm import confirm
from ansible.module_utils.provision_durable import read_json
from ansible.module_utils.provision_generation import Refused, current_manifest
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_lock import held
from ansible.module_utils.provision_records import outcome_of
from ansible.module_utils.provision_take_back import watch
from ansible.module_utils.provision_unconfirmed import (
    read_unconfirmed,
    seconds_left,
    wait_for_confirmation,
)

from tests.unit.playbooks import unconfirmed_change
from tests.unit.playbooks.small_host import HOLDER, NEW, OLD, tree_of
from tests.unit.playbooks.unconfirmed_change import RUN, armed, audited, run_out, waiting

programs = unconfirmed_change.programs  # fixture: what this machine's systemd would be asked


def test_watch_is_started_by_systemd_before_anything_changes(
    layout: Layout, programs: Path
) -> None:
    armed(layout)
    (line,) = [x for x in programs.read_text().splitlines() if x.startswith("systemd-run")]
    assert f"--unit=provision-watch-{RUN}" in line
    assert "--on-active=60s" in line
    assert line.endswith(f"{layout.watch} --watch {RUN}")
    assert layout.watch.read_text() == "# knows --watch"


def test_without_a_watch_nothing_is_changed(layout: Layout, programs: Path) -> None:
    (programs.parent / "programs/broken").touch()
    with pytest.raises(Refused, match="cannot be started"):
        armed(layout)
    assert (read_unconfirmed(layout), current_manifest(layout)["generation"]) == (None, 1)


def test_confirmed_in_time_it_stays_and_the_watch_ends(layout: Layout, programs: Path) -> None:
    number = waiting(layout)
    told = confirm(layout, RUN)
    assert (told["outcome"], told["generation"]) == ("applied", number)
    assert told["replaced"] == ["/etc/a.conf"]
    assert (tree_of(layout), read_unconfirmed(layout)) == (NEW, None)
    assert outcome_of(layout, number) == "applied"
    stop = f"systemctl stop -- provision-watch-{RUN}.timer provision-watch-{RUN}.service"
    assert stop in programs.read_text()
    assert not layout.watch.exists()


def test_confirming_twice_tells_the_same(layout: Layout) -> None:
    waiting(layout)
    confirm(layout, RUN)
    assert confirm(layout, RUN)["outcome"] == "applied"
    assert audited(layout) == ["applied"]


def test_confirmation_of_another_run_keeps_nothing(layout: Layout) -> None:
    waiting(layout)
    assert confirm(layout, "another")["outcome"] == "unknown"
    assert read_unconfirmed(layout) is not None


def test_confirmation_that_comes_too_late_is_told_that_it_is_gone(layout: Layout) -> None:
    number = waiting(layout)
    run_out(layout)
    told = confirm(layout, RUN)
    assert told["outcome"] == "rolled_back"
    assert "not confirmed over a new connection within 60 s" in told["message"]
    assert (tree_of(layout), outcome_of(layout, number)) == (OLD, "rolled_back")


def test_after_the_watch_has_won_the_confirmation_reads_its_verdict(layout: Layout) -> None:
    waiting(layout)
    run_out(layout)
    watch(layout, RUN)
    assert confirm(layout, RUN)["outcome"] == "rolled_back"
    assert audited(layout) == ["rolled_back"]


def test_after_the_confirmation_has_won_the_watch_finds_nothing(layout: Layout) -> None:
    waiting(layout)
    confirm(layout, RUN)
    watch(layout, RUN)
    assert (tree_of(layout), audited(layout)) == (NEW, ["applied"])


def test_confirmation_during_the_proof_is_told_to_come_again(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision_confirm, "_SECONDS", 0.1)
    armed(layout)
    with held(layout, HOLDER):
        assert confirm(layout, RUN)["outcome"] == "working"
    assert read_unconfirmed(layout) is not None


def test_watch_that_fires_during_the_proof_waits_for_it(layout: Layout) -> None:
    armed(layout)
    watching = threading.Thread(target=watch, args=(layout, RUN))
    with held(layout, HOLDER):
        watching.start()
        wait_for_confirmation(layout, {})
    confirm(layout, RUN)
    watching.join()
    assert (tree_of(layout), audited(layout)) == (NEW, ["applied"])


def test_time_counts_from_the_proof_by_a_clock_that_nobody_sets(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    armed(layout, seconds=60)
    assert seconds_left(read_unconfirmed(layout)) == 0
    wait_for_confirmation(layout, {})
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert 59 < seconds_left(read_unconfirmed(layout)) <= 60
    state = read_json(layout.unconfirmed)
    assert provision_unconfirmed.boottime() + 60 >= state["deadline"]


def test_what_waits_is_readable_by_root_alone(layout: Layout) -> None:
    waiting(layout)
    assert layout.unconfirmed.stat().st_mode & 0o077 == 0
