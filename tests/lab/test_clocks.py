"""Wrong clocks: nothing is ordered by them, and one that would spoil certificates is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.assets import playbooks_dir
from tests.lab.rehearsal import Rehearsal
from tests.torture.look import look
from tests.torture.mail import faults_of_mail
from tests.torture.stage import Command, Stage, staged

pytestmark = pytest.mark.lab

HOUR = 3600
YEAR = 365 * 24 * HOUR
_SHIFTED = """
import time as _time
_real, _gmtime = _time.time, _time.gmtime
_time.time = lambda: _real() + {off}
_time.gmtime = lambda seconds=None: _gmtime(_time.time() if seconds is None else seconds)
"""
_CONTROLLER = """
import datetime as _datetime
class _Moved(_datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + _datetime.timedelta(seconds={off})
_datetime.datetime = _Moved
"""


@pytest.fixture(scope="module")
def stage(rehearsal: Rehearsal) -> Iterator[Stage]:
    """The rehearsed host between two states; as it was before at the end."""
    with staged(rehearsal) as stage:
        stage.learn()
        yield stage


def _apply(stage: Stage, before: str) -> tuple[int, str]:
    command = Command(stage.rehearsal.fleet_dir, "apply", "--yes", before=before)
    return command.end(within=600)


def _host_clock(folder: Path, off: int) -> str:
    """Python that lets the module on the host live ``off`` seconds from now."""
    shutil.copytree(playbooks_dir(), folder)
    steps = folder / "module_utils/provision_steps.py"
    steps.write_text(steps.read_text() + _SHIFTED.format(off=off))
    return (
        "import provision.hosts.playbook as p; from pathlib import Path;"
        f"p.playbooks_dir = lambda: Path({str(folder)!r})"
    )


def test_host_clock_that_jumps_two_hours_back_changes_no_order(
    stage: Stage, tmp_path: Path
) -> None:
    """One hour ahead, then one hour behind: a later generation has an earlier moment."""
    first = look(stage.lab).generation
    for number, off in enumerate((HOUR, -HOUR), 1):
        stage.ask_for(stage.other)
        code, said = _apply(stage, _host_clock(tmp_path / str(number), off))
        assert code == 0, said
        seen = look(stage.lab)
        assert seen.differences(stage.known[stage.state]) == []
        assert (seen.generation, seen.left) == (first + number, ())
        assert faults_of_mail(stage.rehearsal, stage.state) == []
        assert stage.plan() == ""
    listed = json.loads(stage.rehearsal.provision("history", "--format", "json"))
    last, latest = listed["hosts"][0]["generations"][-2:]
    assert (last["number"], latest["number"]) == (first + 1, first + 2)
    assert latest["when"] < last["when"], "the clock did jump"
    assert latest["previous"] == last["number"]


@pytest.mark.parametrize("off", [YEAR, -YEAR])
def test_controller_clock_a_year_off_is_refused_and_harms_nothing(stage: Stage, off: int) -> None:
    old, before = stage.state, look(stage.lab)
    stage.ask_for(stage.other)
    moved = (_SHIFTED + _CONTROLLER).format(off=off)
    code, said = _apply(stage, moved)
    assert code == 6, said
    assert "the clocks differ" in said
    assert "set the one that is wrong" in said
    assert look(stage.lab).differences(before) == []
    assert faults_of_mail(stage.rehearsal, old) == []
    stage.apply()  # certificates that the wrong clock has issued are issued anew
    assert faults_of_mail(stage.rehearsal, stage.state) == []
    assert stage.plan() == ""
