"""A fleet folder gives exactly the problems beside it; adding a case needs no Python.

A case is ``problems/CASE/fleet/`` and ``problems/CASE/problems.txt``, the output of
``provision check``. A case without a secrets.yml gets the one in ``problems/.shared``.
``make golden`` rewrites what is expected.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from provision.spec.load import read_fleet
from provision.spec.report_text import text_report

FOLDER = Path(__file__).parent / "problems"
CASES = sorted(path for path in FOLDER.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fleet_gives_exactly_these_problems(case: Path, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    shutil.copytree(FOLDER / ".shared", fleet)
    shutil.copytree(case / "fleet", fleet, dirs_exist_ok=True)
    loaded = read_fleet(fleet)
    report = text_report(loaded.problems, loaded.quotes)
    expected = case / "problems.txt"
    if os.environ.get("PROVISION_GOLDEN") == "rewrite":
        expected.write_text(report)
    assert report == expected.read_text(), "see make golden"
    assert (loaded.fleet is None) == ("error" in report.splitlines()[-1])
