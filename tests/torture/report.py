"""The results of a sweep: reports/torture.json for programs, reports/torture.txt for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from provision.lab.breakpoint import Step
from tests.torture.program import program_digest
from tests.torture.sweeps import Point

_COLUMNS = "{:<14} {:<8} {:>6} {:>6} {:>8} {:>7} {:>8} {:>7}"
_NAMES = "torture.json", "torture.txt"


class Report:
    """Points of one state of the program, in a folder that always has all of them."""

    def __init__(self, folder: Path, points: Sequence[Point] = ()) -> None:
        """Nothing is written before the first point."""
        self.folder, self.points = folder, list(points)
        self.program = program_digest()
        self.steps: Mapping[str, Sequence[Step]] = {}

    @classmethod
    def resumed(cls, folder: Path) -> Report:
        """With the points in ``folder`` that have no fault, if they are of this very program."""
        path = folder / _NAMES[0]
        new = cls(folder)
        if not path.exists():
            print(f"no {path} to resume")
            return new
        document = json.loads(path.read_text())
        if document.get("program") != new.program:
            print(f"{path} is of another state of the program: everything is tried anew")
            return new
        points = [Point(**values) for values in document["points"]]
        return cls(folder, [point for point in points if not point.fault])

    @property
    def done(self) -> set[tuple[str, str, int, str]]:
        """Keys of what need not be tried again."""
        return {(p.sweep, p.towards, p.step, p.name) for p in self.points if not p.fault}

    @property
    def faults(self) -> int:
        """How many points have one."""
        return sum(bool(point.fault) for point in self.points)

    def learn(self, steps: Mapping[str, Sequence[Step]]) -> None:
        """Take the steps that there are, by the state that they lead to."""
        self.steps = steps

    def add(self, point: Point) -> None:
        """Write both files after every point: a sweep that is stopped has told all."""
        self.points.append(point)
        self.folder.mkdir(exist_ok=True, parents=True)
        document = {
            "version": 1,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.release()}",
            "program": self.program,
            "steps": {state: len(steps) for state, steps in self.steps.items()},
            "points": [point.as_json() for point in self.points],
            "faults": self.faults,
        }
        for name, text in zip(_NAMES, (json.dumps(document, indent=1), self._text()), strict=True):
            scratch = self.folder / f"{name}.new"
            scratch.write_text(text + "\n")
            scratch.rename(self.folder / name)

    def _text(self) -> str:
        return "\n".join(self.table())

    def table(self) -> Iterable[str]:
        """A line for each sweep and direction, and one for each fault."""
        yield _COLUMNS.format(
            "sweep", "towards", "steps", "tried", "old", "new", "seconds", "faults"
        )  # fmt: skip
        for sweep, towards in sorted({(point.sweep, point.towards) for point in self.points}):
            yield self._row(sweep, towards)
        for point in self.points:
            if point.fault:
                yield f"{point.sweep} {point.towards} {point.step} {point.name}: {point.fault}"

    def _row(self, sweep: str, towards: str) -> str:
        mine = [p for p in self.points if (p.sweep, p.towards) == (sweep, towards)]
        new = sum(p.found == towards for p in mine)
        old = sum(p.found not in {towards, "", "mixed"} for p in mine)
        seconds = f"{sum(p.seconds for p in mine):.0f}"
        tried = len({(p.step, p.name) for p in mine})
        faults = sum(bool(p.fault) for p in mine)
        steps = len(self.steps.get(towards, ()))
        return _COLUMNS.format(sweep, towards, steps, tried, old, new, seconds, faults)
