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
    """Seconds that a command takes; raises CalledProcessError with its output when it fails."""
    started = time.monotonic()
    subprocess.run(list(argv), check=True, capture_output=True, text=True, timeout=900)
    return time.monotonic() - started


def in_turns(
    ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int
) -> tuple[float, float]:
    """Medians of both, taken in turns so that a busy moment of the machine hits both."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)
