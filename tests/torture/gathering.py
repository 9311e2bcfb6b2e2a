"""One run of the sweeps: errands go out to workers, points come in and are told and reported."""

from __future__ import annotations

import time
from collections import deque

from tests.torture.errands import Errand, Wishes, errands
from tests.torture.program import program_digest
from tests.torture.report import Report
from tests.torture.sweeps import Point
from tests.torture.worker import Done, Learned
from tests.torture.workers import Worker, heard


class Gathering:
    """What is still to be tried, and what has been."""

    def __init__(self, wishes: Wishes, report: Report, deadline: float) -> None:
        self.wishes, self.report, self.deadline = wishes, report, deadline
        self.to_do: deque[Errand] | None = None
        """None until the first worker has told the steps."""
        self.total = self.tried = self.lost = 0
        """Points; those lost were in the hand of a worker that died."""

    def run(self, crew: list[Worker]) -> None:
        """Share everything out until all is tried, the time is over or nobody is left.

        Raises AssertionError when workers know other steps than their fellows, or none at all.
        """
        for worker, said in heard(crew):
            if isinstance(said, Point):
                self._take(said)
                continue
            if said is None:
                self._bury(worker)
            elif isinstance(said, Learned):
                self._compare(said)
            assert said is None or isinstance(said, Done | Learned)
            if said is not None:
                worker.hand(self._next())
        assert self.to_do is not None, "no worker has learned the steps; the reason is above"
        if self.tried < self.total:
            print(f"{self.tried} of {self.total} tried; --resume goes on from here")

    def _next(self) -> Errand | None:
        is_late = time.monotonic() > self.deadline
        if not self.to_do or is_late:
            return None
        assert program_digest() == self.report.program, "the program was changed meanwhile"
        return self.to_do.popleft()

    def _compare(self, learned: Learned) -> None:
        """A step's number has to mean the same on every lab."""
        if self.to_do is None:
            self.report.learn(learned.steps)
            self.to_do = deque(errands(learned.steps, self.wishes, self.report.done))
            self.total = sum(len(errand.targets) for errand in self.to_do)
            kept = len(self.report.points)
            print(
                f"{self.total} points to try" + (f", {kept} are kept" if kept else ""), flush=True
            )
        for state, steps in learned.steps.items():
            for mine, theirs in zip(self.report.steps[state], steps, strict=False):
                assert mine == theirs, f"two labs have other steps to {state}: {mine}, {theirs}"
            counts = len(self.report.steps[state]), len(steps)
            assert counts[0] == counts[1], f"two labs have other steps to {state}: {counts}"

    def _take(self, point: Point) -> None:
        self.tried += 1
        print(f"{self.tried:4}/{self.total} {_words(point)}", flush=True)
        self.report.add(point)

    def _bury(self, worker: Worker) -> None:
        """What a worker had in hand when it died was not tried; others go on."""
        if worker.is_free_to_go:
            return
        had = worker.errand.targets if worker.errand else ()
        self.lost += max(1, len(had))
        print(f"{worker.folder.name} has died, with in hand: {had or 'nothing'}", flush=True)


def _words(point: Point) -> str:
    verdict = point.fault or f"ok, was {point.found}"
    words = f"{point.sweep:<8} to {point.towards} {point.step:3} {point.name[-60:]}: {verdict}"
    return f"{words}, {point.seconds:.1f} s"
