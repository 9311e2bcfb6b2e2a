"""The results of a sweep: reports/torture.json for programs, reports/torture.txt for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.torture.sweeps import Point

_COLUMNS = "{:<14} {:<8} {:>6} {:>6} {:>8} {:>7} {:>8} {:>7}"


def write_report(points: Sequence[Point], steps: dict[str, int], folder: Path) -> None:
    """Write both files; called after every point, so that a sweep that is stopped has told all."""
    folder.mkdir(exist_ok=True)
    document = {
        "version": 1,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.release()}",
        "steps": steps,
        "points": [point.as_json() for point in points],
        "faults": sum(bool(point.fault) for point in points),
    }
    (folder / "torture.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / "torture.txt").write_text("\n".join(table(points, steps)) + "\n")


def table(points: Sequence[Point], steps: dict[str, int]) -> Iterable[str]:
    """A line for each sweep and direction, and one for each fault."""
    yield _COLUMNS.format(
        "sweep", "towards", "steps", "tried", "old", "new", "seconds", "faults"
    )  # fmt: skip
    for sweep, towards in sorted({(point.sweep, point.towards) for point in points}):
        mine = [p for p in points if (p.sweep, p.towards) == (sweep, towards)]
        new = sum(p.found == towards for p in mine)
        old = sum(p.found not in {towards, "", "mixed"} for p in mine)
        seconds = f"{sum(p.seconds for p in mine):.0f}"
        tried = len({p.step for p in mine})
        faults = sum(bool(p.fault) for p in mine)
        yield _COLUMNS.format(
            sweep, towards, steps.get(towards, 0), tried, old, new, seconds, faults
        )
    for point in points:
        if point.fault:
            yield f"{point.sweep} {point.towards} {point.step} {point.name}: {point.fault}"
