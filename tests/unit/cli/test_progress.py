"""An apply always shows what it is doing, also where there is no terminal."""

from __future__ import annotations

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
