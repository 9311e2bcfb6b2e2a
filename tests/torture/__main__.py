"""Interrupt applies at every step on a lab of the demo fleet: ``make torture``.

Each point costs about ten seconds. Steps that touch what daemons read come first, so that a sweep
that is stopped early has tried the dangerous ones; the report is up to date after every point.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from provision.lab.breakpoint import Step
from tests.lab.rehearsal import ROOT, Rehearsal
from tests.torture.first import first_points, try_first
from tests.torture.report import write_report
from tests.torture.stage import Stage
from tests.torture.sweeps import SWEEPS, Point, try_point


def main() -> int:
    """Run the sweeps that were asked for; the exit code is 1 when a point has a fault."""
    asked = _arguments()
    deadline = time.monotonic() + asked.minutes * 60
    with rehearsal() as rehearsed:
        stage = Stage(rehearsed)
        tries = list(_tries(stage, asked.sweeps.split(","), asked))
        points: list[Point] = []
        for number, attempt in enumerate(tries, 1):
            if time.monotonic() > deadline:
                print(f"the {asked.minutes:g} minutes are over: {number - 1} of {len(tries)} tried")
                break
            points.append(point := attempt())
            print(f"{number:4}/{len(tries)} {_words(point)}", flush=True)
            counts = {state: len(steps) for state, steps in stage.steps.items()}
            write_report(points, counts, asked.reports)
            if point.fault:
                stage.mend()
    print((asked.reports / "torture.txt").read_text())
    return 1 if any(point.fault for point in points) else 0


def _tries(
    stage: Stage, sweeps: list[str], asked: argparse.Namespace
) -> Iterator[Callable[[], Point]]:
    """Everything that was asked for, as calls: the way between two states, then first applies."""
    print("learning the steps of a first apply ...", flush=True)
    stage.learn_the_first()
    print("learning two states and the steps between them ...", flush=True)
    if not asked.first_only:
        stage.learn()
        for sweep, rank in in_order_of_danger(stage, sweeps, ranks=asked.ranks, every=asked.every):
            yield partial(_try_rank, stage, sweep, rank)
    for sweep, name in first_points(sweeps) if not asked.without_first else ():
        yield partial(try_first, stage, sweep, name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--sweeps", default=",".join(SWEEPS), help="kill, power, network")
    parser.add_argument("--every", type=int, default=1, help="only every Nth step")
    parser.add_argument(
        "--ranks", type=_span, default=_span("0-"), help="a part of the order of danger: 40-79"
    )
    parser.add_argument("--without-first", action="store_true", help="no first applies")
    parser.add_argument("--reports", type=Path, default=ROOT / "reports", help="where to report")
    parser.add_argument("--first-only", action="store_true", help="only the first apply")
    parser.add_argument("--minutes", type=float, default=1e6, help="start no point after these")
    return parser.parse_args()


def _span(text: str) -> slice:
    """Places of an order, the last included; without an end they go on to the end."""
    first, _, last = text.partition("-")
    return slice(int(first), int(last) + 1 if last else None)


@contextlib.contextmanager
def rehearsal() -> Iterator[Rehearsal]:
    """A lab of a copy of the demo fleet; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="provision-torture-") as scratch:
        folder = Path(scratch) / "fleet"
        ignored = shutil.ignore_patterns(".provision")
        shutil.copytree(ROOT / "inventories/demo", folder, ignore=ignored)
        rehearsed = Rehearsal.of(folder)
        try:
            rehearsed.lab.up(progress=print)
            yield rehearsed
        finally:
            rehearsed.lab.down()


def in_order_of_danger(
    stage: Stage, sweeps: Sequence[str], *, ranks: slice = slice(None), every: int
) -> Iterator[tuple[str, int]]:
    """Every step in both directions for every sweep, as (sweep, rank) with the worst first.

    A rank is a place in the order of danger of either direction: who is next is known only when
    the host's state is, for every point moves it to the other one.
    """
    most = max(len(stage.steps[state]) for state in "AB")
    for rank in range(most)[ranks][::every]:
        for sweep in sweeps:
            yield sweep, rank
            yield sweep, rank


def by_danger(steps: Sequence[Step]) -> list[Step]:
    """Steps on what is live before steps on a generation that nobody reads yet."""
    return sorted(steps, key=lambda step: (_is_staging(step), step.number))


def _is_staging(step: Step) -> bool:
    return "/generations/" in step.name or step.name.startswith("make directory ")


def _try_rank(stage: Stage, sweep: str, rank: int) -> Point:
    return try_point(stage, sweep, _next_step(stage, rank))


def _next_step(stage: Stage, rank: int) -> Step:
    steps = by_danger(stage.steps[stage.other])
    return steps[min(rank, len(steps) - 1)]


def _words(point: Point) -> str:
    verdict = point.fault or f"ok, was {point.found}"
    return f"{point.sweep:<8} to {point.towards} {point.step:3} {point.name[-60:]}: {verdict}"


if __name__ == "__main__":
    sys.exit(main())
