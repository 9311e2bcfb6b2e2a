"""A sweep goes on from its report where the program is the same, and only there."""

from __future__ import annotations

import json
from pathlib import Path

from provision.lab.breakpoint import Step
from tests.torture.program import program_digest
from tests.torture.report import Report
from tests.torture.sweeps import Point

GOOD = Point("kill", "B", 1, "journal", found="B", seconds=2.0)
BAD = Point("kill", "A", 1, "journal", found="mixed", fault="neither old nor new")


def _written(folder: Path) -> Report:
    report = Report(folder)
    report.learn({"A": (Step(1, "journal"),), "B": (Step(1, "journal"),)})
    report.add(GOOD)
    report.add(BAD)
    return report


def test_report_tells_points_and_faults(tmp_path: Path) -> None:
    _written(tmp_path)
    document = json.loads((tmp_path / "torture.json").read_text())
    assert (document["faults"], len(document["points"])) == (1, 2)
    assert "kill A 1 journal: neither old nor new" in (tmp_path / "torture.txt").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["torture.json", "torture.txt"]


def test_points_without_a_fault_are_kept(tmp_path: Path) -> None:
    _written(tmp_path)
    resumed = Report.resumed(tmp_path)
    assert resumed.points == [GOOD]
    assert resumed.done == {("kill", "B", 1, "journal")}


def test_points_of_another_program_are_not_kept(tmp_path: Path) -> None:
    report = _written(tmp_path)
    report.program = "another"
    report.add(GOOD)
    assert Report.resumed(tmp_path).points == []
    assert Report.resumed(tmp_path / "nowhere").points == []


def test_digest_is_of_contents_and_names_and_of_nothing_that_a_run_leaves(tmp_path: Path) -> None:
    (tmp_path / "provision/__pycache__").mkdir(parents=True)
    (tmp_path / "provision/a.py").write_text("1")
    before = program_digest(tmp_path)
    (tmp_path / "provision/__pycache__/a.pyc").write_text("x")
    assert program_digest(tmp_path) == before
    (tmp_path / "provision/a.py").rename(tmp_path / "provision/b.py")
    assert program_digest(tmp_path) != before
