"""Ctrl-C once ends nothing, twice ends the whole process group at work."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import pytest

from provision.hosts.interrupts import Interrupts


def _sleeping() -> subprocess.Popen[bytes]:
    argv = ["sh", "-c", "sleep 600 & echo; wait"]
    process = subprocess.Popen(argv, start_new_session=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_once_is_told_and_ends_nothing() -> None:
    told: list[Any] = []
    with _sleeping() as process, Interrupts(told.append) as interrupts:
        with interrupts.watching(process):
            _interrupt()
            assert interrupts.is_wanted
            assert not interrupts.is_abort
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGTERM)
    assert told == [{"type": "interrupted", "count": 1}]


def test_twice_ends_the_process_and_its_children() -> None:
    with _sleeping() as process, Interrupts(lambda _event: None) as interrupts:
        with interrupts.watching(process):
            _interrupt()
            _interrupt()
        assert interrupts.is_abort
        assert process.stdout is not None
        assert process.stdout.read() == b""  # the child held it open, too
    assert process.returncode == -signal.SIGTERM


def test_twice_before_the_process_is_watched_counts() -> None:
    with _sleeping() as process, Interrupts(lambda _event: None) as interrupts:
        _interrupt()
        _interrupt()
        with interrupts.watching(process):
            pass
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_end_of_the_job_or_the_terminal_counts_as_twice(ending: signal.Signals) -> None:
    told: list[Any] = []
    with _sleeping() as process, Interrupts(told.append) as interrupts:
        with interrupts.watching(process):
            os.kill(os.getpid(), ending)
        assert interrupts.is_abort
    assert process.returncode == -signal.SIGTERM
    assert told == [{"type": "interrupted", "count": 2}]


def test_hangup_that_was_to_be_ignored_is_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts(lambda _event: None) as interrupts:
            os.kill(os.getpid(), signal.SIGHUP)
        assert not interrupts.is_wanted
    finally:
        signal.signal(signal.SIGHUP, before)


def test_afterwards_ctrl_c_is_what_it_was() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with Interrupts(lambda _event: None):
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert [signal.getsignal(number) for number in numbers] == before
