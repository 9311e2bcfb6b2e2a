"""Run commands, take their times, and keep what is measured."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """One promise: a value in seconds, the peer or limit it is held against, and the bound.

    ``bound`` is the largest allowed value of ours divided by theirs.
    """

    promise: str
    ours: float
    theirs: float
    against: str
    bound: float

    @property
    def ratio(self) -> float:
        """Ours divided by theirs."""
        return self.ours / self.theirs

    @property
    def kept(self) -> bool:
        """True when the promise holds in this run."""
        return self.ratio <= self.bound


def run(argv: Sequence[str]) -> float:
    """Seconds that a command takes; raises SystemExit with what it said when it fails."""
    started = time.monotonic()
    done = subprocess.run(
        list(argv), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    seconds = time.monotonic() - started
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}\n{' '.join(argv)} ended with {done.returncode}")
    return seconds


def in_turns(
    ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int
) -> tuple[float, float]:
    """Medians of both, taken in turns so that a busy moment of the machine hits both."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)
