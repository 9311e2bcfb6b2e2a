"""One of the processes that try points: it has a lab of its own, and takes it down at its end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from provision.lab.breakpoint import Step
from tests.lab.rehearsal import ROOT, Rehearsal
from tests.torture.errands import Errand, Target, Wishes
from tests.torture.first import try_first
from tests.torture.stage import Stage
from tests.torture.sweeps import Point, try_point

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


@dataclass(frozen=True)
class Learned:
    """The steps that a worker has seen, by the state that they lead to."""

    steps: dict[str, tuple[Step, ...]]


class Done:
    """Said by a worker whose errand is done."""


def work(folder: Path, wishes: Wishes, parent: int, wire: Connection) -> None:
    """Learn, then run the errands that come over the wire until None comes.

    ``folder`` becomes the lab's copy of the demo fleet. When the process ``parent`` ends, however
    it does, or SIGTERM comes, the lab and the folder go, too.
    """
    _end_with(parent)
    with contextlib.suppress(EOFError, BrokenPipeError), rehearsal(folder) as rehearsed:
        stage = Stage(rehearsed, wishes.play)
        _learn(stage, wishes)
        wire.send(Learned(stage.steps))
        for errand in iter(wire.recv, None):
            for point in _tries(stage, errand):
                wire.send(point)
            wire.send(Done())


@contextlib.contextmanager
def rehearsal(folder: Path) -> Iterator[Rehearsal]:
    """A lab of a copy of the demo fleet in ``folder``; both are gone at the end."""
    try:
        ignored = shutil.ignore_patterns(".provision")
        shutil.copytree(ROOT / "inventories/demo", folder, ignore=ignored)
        rehearsed = Rehearsal.of(folder)
        try:
            rehearsed.lab.up()
            yield rehearsed
        finally:
            rehearsed.lab.down()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # the last one tidies up for a parent that was killed
            folder.parent.rmdir()


def _end_with(parent: int) -> None:
    """Ctrl-C is for the parent, which then asks everybody to end; so does the parent's death."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it has ended before it was watched
        raise SystemExit(1)


def _leave(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # tidying up is not to be interrupted
    raise SystemExit(1)


def _learn(stage: Stage, wishes: Wishes) -> None:
    if wishes.has_first:
        stage.learn_the_first()
    if wishes.has_ways:
        stage.learn()


def _tries(stage: Stage, errand: Errand) -> Iterator[Point]:
    if errand.first:
        yield _mended(stage, try_first(stage, errand.first.sweep, errand.first.step.name))
        return
    for state, target in ((stage.play.far, errand.there), (stage.play.near, errand.back)):
        yield from _on_the_way(stage, state, target)


def _on_the_way(stage: Stage, state: str, target: Target | None) -> Iterator[Point]:
    """Bring the host to a state, disturbed where something is to be tried on that way."""
    if target:
        assert (target.towards, stage.other) == (state, state), f"{target} from {stage.state}"
        yield _mended(stage, try_point(stage, target.sweep, target.step))
    else:
        stage.ask_for(state)
        stage.apply()


def _mended(stage: Stage, point: Point) -> Point:
    if point.fault:
        stage.mend()
    return point
