"""Ctrl-C counts also while a run waits for the reader of its events, and lines stay whole."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_FULL = """\
import subprocess, sys
from provision.cli.events import Events
from provision.cli.play_events import telling
from provision.hosts.interrupts import Interrupts

events = Events.open(f"fd:{sys.argv[1]}")
take = telling(events, lambda event: None)
work = subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
with Interrupts(take, events.no_longer_wait) as interrupts, interrupts.watching(work):
    while not interrupts.is_wanted or (len(sys.argv) > 2 and not interrupts.is_abort):
        take({"type": "settling", "host": "mail1", "message": "x" * 20_000})
    print(interrupts.count, flush=True)
    if interrupts.is_abort:
        print(work.wait(), flush=True)
work.kill()
work.wait()
"""


@contextmanager
def _blocked(*words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A run in the middle of a line that nobody reads, and where to read it."""
    reader, writer = os.pipe()
    argv = [sys.executable, "-c", _FULL, str(writer), *words]
    with subprocess.Popen(argv, pass_fds=[writer], stdout=subprocess.PIPE, text=True) as process:
        late = threading.Timer(40, process.kill)
        late.start()
        try:
            while select.select([], [writer], [], 0)[1]:
                assert process.poll() is None
            os.close(writer)
            yield process, reader
        except BaseException:
            process.kill()
            raise
        finally:
            late.cancel()
            os.close(reader)


def _rest(reader: int) -> list[dict[str, Any]]:
    """What comes until the writer has gone; fails where a line is not whole."""
    with os.fdopen(os.dup(reader)) as lines:
        return [json.loads(line) for line in lines]


def test_ctrl_c_in_the_middle_of_a_line_is_told_after_it() -> None:
    with _blocked() as (process, reader):
        process.send_signal(signal.SIGINT)
        events = _rest(reader)
        said, _ = process.communicate(timeout=30)
    assert (said, process.returncode) == ("1\n", 0)
    assert [e["count"] for e in events if e["type"] == "interrupted"] == [1]


def test_second_ctrl_c_ends_what_runs_though_nobody_reads() -> None:
    with _blocked("until aborted") as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert not select.select([process.stdout.fileno()], [], [], 1)[0]
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert said.split() == ["2", str(-signal.SIGTERM)]
    assert process.returncode == 0
