"""The parent of the processes that try points: it shares the errands out and gathers the points."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from provision.lab.lab import Lab
from tests.torture.errands import Errand, Wishes
from tests.torture.worker import work


@dataclass
class Worker:
    """A process with a lab of its own, and what it is busy with."""

    process: SpawnProcess
    wire: Connection
    folder: Path
    errand: Errand | None = None
    is_free_to_go: bool = False

    def hear(self) -> Any:
        """What it says next; None when it has ended."""
        try:
            return self.wire.recv()
        except (EOFError, ConnectionResetError):
            return None

    def hand(self, errand: Errand | None) -> None:
        """Give it something to do; None: it may go."""
        self.errand, self.is_free_to_go = errand, errand is None
        with contextlib.suppress(BrokenPipeError):  # it has ended: it will be heard
            self.wire.send(errand)


@contextlib.contextmanager
def workers(count: int, wishes: Wishes) -> Iterator[list[Worker]]:
    """So many processes, which learn at once; they and their labs are gone at the end."""
    with _scratch() as scratch, _ended_in_order():
        crew: list[Worker] = []
        try:
            while len(crew) < count:  # one by one: whoever has started is ended below
                crew.append(_start(Path(scratch) / f"torture-{len(crew) + 1}", wishes))
            yield crew
        finally:
            for worker in crew:
                worker.process.terminate()
            for worker in crew:
                worker.process.join()
                Lab.open(worker.folder).down()  # of one that could not do so itself


def heard(crew: list[Worker]) -> Iterator[tuple[Worker, Any]]:
    """What workers say, as it comes, until all have ended. None: that one has ended."""
    by_wire = {worker.wire: worker for worker in crew}
    while by_wire:
        for wire in wait(list(by_wire)):
            assert isinstance(wire, Connection)
            said = by_wire[wire].hear()
            yield by_wire[wire], said
            if said is None:
                del by_wire[wire]


def _start(folder: Path, wishes: Wishes) -> Worker:
    context = multiprocessing.get_context("spawn")
    wire, far_end = context.Pipe()
    process = context.Process(target=work, args=(folder, wishes, os.getpid(), far_end))
    process.start()
    far_end.close()
    return Worker(process, wire, folder)


@contextlib.contextmanager
def _scratch() -> Iterator[str]:
    """A folder that may be gone before its end."""
    folder = tempfile.mkdtemp(prefix="provision-torture-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Take SIGTERM and SIGHUP for a block as Ctrl-C is taken: whoever is inside tidies up."""

    def leave(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # nohup(1) has its way
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
