"""Run commands, take their times and memory, and keep what is measured."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Measured:
    """One promise: a value, the peer or limit it is held against, and the bound.

    ``bound`` is the largest allowed value of ours divided by theirs; None: it is only stated.
    """

    promise: str
    ours: float
    theirs: float
    against: str
    bound: float | None
    unit: str = "s"
    peak_mib: float = 0.0
    """Largest resident memory of one process of ours; 0: not measured."""

    @property
    def ratio(self) -> float:
        """Ours divided by theirs."""
        return self.ours / self.theirs

    @property
    def kept(self) -> bool:
        """True when the promise holds in this run."""
        return self.bound is None or self.ratio <= self.bound


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command took, and the largest resident memory of it and the children it waited for."""

    seconds: float
    peak_mib: float
    code: int
    said: str


_WATCHER = """\
import json, os, resource, subprocess, sys, time
started = time.monotonic()
code = subprocess.call(sys.argv[2:])
seconds = time.monotonic() - started
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
os.write(int(sys.argv[1]), json.dumps([seconds, peak / 1024, code]).encode())
"""
"""A small parent: a process that starts from a large one inherits its mark of resident memory."""


def watch(argv: Sequence[str]) -> Ran:
    """Run a command to its end, whatever its exit code."""
    with tempfile.TemporaryFile("w+") as words, tempfile.TemporaryFile("w+") as taken:
        watcher = [sys.executable, "-I", "-S", "-c", _WATCHER, str(taken.fileno())]
        subprocess.run(
            [*watcher, *argv],
            check=True,
            stdout=words,
            stderr=subprocess.STDOUT,
            pass_fds=[taken.fileno()],
        )
        words.seek(0)
        taken.seek(0)
        seconds, peak, code = json.load(taken)
        return Ran(seconds, peak, code, words.read())


def run(argv: Sequence[str]) -> Ran:
    """Run a command that ends well; raises SystemExit with what it said when it fails."""
    ran = watch(argv)
    if ran.code != 0:
        raise SystemExit(f"{ran.said}\n{' '.join(argv)} ended with {ran.code}")
    return ran


def in_turns(ours: Callable[[], Ran], theirs: Callable[[], Ran], *, rounds: int) -> tuple[Ran, Ran]:
    """Medians of both, taken in turns so that a busy moment of the machine hits both."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return median([a for a, _ in pairs]), median([b for _, b in pairs])


def median(runs: Sequence[Ran]) -> Ran:
    """The one in the middle by its time, with the largest memory of all."""
    middle = sorted(runs, key=lambda ran: ran.seconds)[len(runs) // 2]
    return replace(middle, peak_mib=max(ran.peak_mib for ran in runs))
