"""The tutorial is true: its commands run as they stand there, and end as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _script(folder: Path) -> str:
    """Join the tutorial's blocks into one shell script; a failing command ends it.

    The environment is already made (make setup), and the fleet lies in a folder of the test's own.
    """
    blocks = BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text())
    commands = "".join(blocks[1:]).replace("/tmp/provision-tutorial", str(folder))
    return "set -eux\n" + commands


@pytest.mark.lab
def test_tutorial_runs_from_beginning_to_end(tmp_path: Path) -> None:
    folder = tmp_path / "tutorial"
    environment = {**os.environ, "NO_COLOR": "1"}
    try:
        ran = subprocess.run(
            ["bash", "-c", _script(folder)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
    finally:
        if folder.exists():
            subprocess.run(["provision", "lab", "down", "-i", str(folder)], check=True)
            shutil.rmtree(folder, ignore_errors=True)
    assert ran.returncode == 0, ran.stdout[-6000:]
    assert "exit code 3" in ran.stdout
    assert "exit code 2" in ran.stdout
    assert ran.stdout.count("No changes") >= 2
    one_more = ran.stdout.split("gina: {name: Gina Gray")[1]
    assert "gina@blue.example" in one_more
