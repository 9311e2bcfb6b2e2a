"""An apply always shows what it is doing, also where there is no terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from provision.cli import progress
from provision.cli.progress import Progress


def _until(capsys: pytest.CaptureFixture[str], words: str) -> str:
    said, deadline = "", time.monotonic() + 10
    while words not in said and time.monotonic() < deadline:
        said += capsys.readouterr().err
        time.sleep(0.01)  # a short breath between looks
    return said


def test_a_task_that_takes_long_is_named_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "STILL_SECONDS", 0.02)
    with Progress(["mail1"]) as shown:
        shown.take(
            {"type": "batch", "number": 1, "of": 2, "canary": True, "hosts": ["mail1"]},
        )
        assert "starting Ansible for mail1 (batch 1 of 2, the canary)" in _until(capsys, "canary")
        shown.take({"type": "task_start", "host": "mail1", "task": "Install packages"})
        assert "mail1: install packages ..." in _until(capsys, "packages ...")
        shown.take({"type": "task_ok", "host": "mail1", "task": "Install packages"})
        assert "mail1: install packages: done" in _until(capsys, "done")


def test_nothing_is_said_after_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "STILL_SECONDS", 0.02)
    with Progress(["mail1"]) as shown:
        shown.take({"type": "task_start", "host": "mail1", "task": "Install packages"})
    capsys.readouterr()
    time.sleep(0.1)
    assert len(capsys.readouterr().err.splitlines()) <= 1


_GONE = """\
import os, sys
from provision.cli.events import Events
from provision.cli.play_events import telling
from provision.cli.progress import Progress

with Progress(["mail1"]) as progress:
    take = telling(Events(), progress.take)
    for number in range(500):
        take({"type": "task_start", "host": "mail1", "task": f"Task {number}"})
        take({"type": "task_ok", "host": "mail1", "task": f"Task {number}"})
    take({"type": "interrupted", "count": 1})
print("went on to its end")
"""


@pytest.mark.parametrize("has_terminal", [False, True])
def test_run_goes_on_when_nobody_watches_any_more(*, has_terminal: bool) -> None:
    reader, writer = os.openpty() if has_terminal else os.pipe()
    argv = [sys.executable, "-c", _GONE]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=writer, text=True) as process:
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        assert process.communicate(timeout=30)[0] == "went on to its end\n"
    assert process.returncode == 0
