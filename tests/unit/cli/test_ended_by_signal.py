"""A run that is ended from outside leaves no secret behind, as one that is interrupted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.assets import demo_fleet_dir
from provision.errors import ExitCode

_PROGRAM = "from provision.cli.main import main; main()"
_IGNORING = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
_IN_A_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
ENDINGS = [signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def door(tmp_path: Path) -> socket.socket:
    """Where the host of the fleet is said to listen; it never greets."""
    fleet = tmp_path / "fleet"
    shutil.copytree(demo_fleet_dir(), fleet, ignore=shutil.ignore_patterns(".provision"))
    door = socket.create_server(("127.0.0.1", 0))
    spec = fleet / "fleet.yml"
    here = f"address: 127.0.0.1\n    ssh: {{port: {door.getsockname()[1]}}}"
    spec.write_text(spec.read_text().replace("address: 198.18.0.11", here))
    return door


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where an apply keeps its secrets; with a short name, since a socket is among them."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def _apply(
    tmp_path: Path, program: str = _PROGRAM, terminal: int | None = None
) -> subprocess.Popen[bytes]:
    """Start one that keeps its secrets in ``memory``."""
    words = ["apply", "--yes", "-i", str(tmp_path / "fleet"), "--events", str(tmp_path / "events")]
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE if terminal is None else terminal,
        start_new_session=terminal is not None,
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_its_folder_is_gone_and_it_says_that_it_was_interrupted(
    door: socket.socket, tmp_path: Path, memory: Path, ending: signal.Signals
) -> None:
    with door, _apply(tmp_path) as process:
        connection, _ = door.accept()  # it waits for a greeting now
        assert list(memory.iterdir())
        process.send_signal(ending)
        time.sleep(0.2)
        process.send_signal(ending)  # a shell may say it again
        connection.close()
        _, said = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED, said
    assert b"Interrupted." in said
    assert not list(memory.iterdir())
    *_, last = (tmp_path / "events").read_text().splitlines()
    assert json.loads(last)["exit_code"] == ExitCode.INTERRUPTED


def test_its_folder_is_gone_when_its_terminal_is_closed(
    door: socket.socket, tmp_path: Path, memory: Path
) -> None:
    ours, terminal = os.openpty()
    with door, _apply(tmp_path, _IN_A_TERMINAL + _PROGRAM, terminal) as process:
        os.close(terminal)
        connection, _ = door.accept()
        assert list(memory.iterdir())
        os.close(ours)
        connection.close()
        assert process.wait(60) > 0
    assert not list(memory.iterdir())


def test_hangup_that_was_to_be_ignored_is_ignored(
    door: socket.socket, tmp_path: Path, memory: Path
) -> None:
    with door, _apply(tmp_path, _IGNORING + _PROGRAM) as process:
        connection, _ = door.accept()
        process.send_signal(signal.SIGHUP)
        connection.close()
        _, said = process.communicate(timeout=60)
    assert process.returncode == ExitCode.UNREACHABLE, said
