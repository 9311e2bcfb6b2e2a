"""The page of measurements keeps what was not measured again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.bench.report import document, renewed
from tests.bench.stopwatch import Measured, watch

OLD = "# Benchmarks\n\nold words\n\n## scale\n\nMachine: a.\n\n| kept |\n\n## demo\n\nold demo\n"


def test_measured_subject_is_renewed_and_the_others_stay_in_the_order_of_the_table() -> None:
    row = Measured("plan of no change", 3.0, 2.0, "ssh", 1.4, peak_mib=55.4)
    page = renewed(OLD, {"demo": [row]}, ["demo", "scale", "fleet"])
    assert "old" not in page
    assert page.index("## demo") < page.index("## scale")
    assert "\n## scale\n\nMachine: a.\n\n| kept |\n" in page
    assert "| plan of no change | 3.00 s | 2.00 s | ssh | 1.50 | 1.4 | NO | 55 |" in page
    assert renewed(page, {}, ["demo", "scale"]) == page


def test_json_keeps_the_results_of_other_subjects_with_their_machine(tmp_path: Path) -> None:
    row, path = Measured("plan", 3.0, 2.0, "ssh", 1.4), tmp_path / "bench.json"
    path.write_text(json.dumps(document(path, {"demo": [row]})))
    both = document(path, {"scale": [row]})["subjects"]
    assert list(both) == ["demo", "scale"]
    assert both["demo"]["results"][0]["ratio"] == 1.5
    assert "cores" in both["demo"]["machine"]


def test_row_without_bound_is_only_stated() -> None:
    row = Measured("memory", 80.0, 40.0, "one host", None, unit="MiB")
    assert "| memory | 80.00 MiB | 40.00 MiB | one host | 2.00 |  |  |  |" in renewed(
        "", {"fleet": [row]}, ["fleet"]
    )
    assert row.kept


def test_command_is_watched_to_its_end() -> None:
    ran = watch(
        [sys.executable, "-c", "x = bytearray(60 << 20); print('said'); raise SystemExit(3)"]
    )
    assert (ran.code, ran.said) == (3, "said\n")
    assert ran.peak_mib > 60
    before = bytearray(200 << 20)
    assert watch(["true"]).peak_mib < 60
    del before
