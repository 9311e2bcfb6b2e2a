"""A remembered process is that process, not one that got its number later."""

import json
import os
import subprocess
from pathlib import Path

from provision.lab.processes import recall, remember


def test_running_process_is_recalled(tmp_path: Path) -> None:
    remember(tmp_path / "p.json", os.getpid())
    assert recall(tmp_path / "p.json") == os.getpid()


def test_ended_process_is_not_even_as_a_zombie(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "60"])
    remember(tmp_path / "p.json", process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert recall(tmp_path / "p.json") is None
    process.wait()
    assert recall(tmp_path / "p.json") is None


def test_another_process_with_the_same_number_is_not(tmp_path: Path) -> None:
    remember(tmp_path / "p.json", os.getpid())
    noted = json.loads((tmp_path / "p.json").read_text())
    (tmp_path / "p.json").write_text(json.dumps({**noted, "start": noted["start"] - 1}))
    assert recall(tmp_path / "p.json") is None


def test_process_of_an_earlier_boot_is_not(tmp_path: Path) -> None:
    remember(tmp_path / "p.json", os.getpid())
    noted = json.loads((tmp_path / "p.json").read_text())
    (tmp_path / "p.json").write_text(json.dumps({**noted, "boot": "another"}))
    assert recall(tmp_path / "p.json") is None


def test_nothing_remembered_is_nothing_recalled(tmp_path: Path) -> None:
    assert recall(tmp_path / "p.json") is None
