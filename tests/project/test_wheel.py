"""The wheel is the whole program: templates, playbooks and the demo fleet are in it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _tracked(folder: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return {name for name in listed if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    state = ROOT / "inventories/demo/.provision"
    canary = state / "wheel-test.key"
    state.mkdir(mode=0o700, exist_ok=True)
    canary.touch(mode=0o600)
    try:
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), "."],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
    finally:
        canary.unlink()
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("folder", ["templates", "playbooks", "inventories/demo"])
def test_wheel_carries_the_folder_as_it_is(folder: str, wheel_names: set[str]) -> None:
    packed = {name for name in wheel_names if name.startswith(f"provision/_data/{folder}/")}
    assert {f"provision/_data/{name}" for name in _tracked(folder)} == packed


def test_wheel_carries_every_module(wheel_names: set[str]) -> None:
    assert _tracked("provision") <= wheel_names


def test_wheel_carries_no_local_state(wheel_names: set[str]) -> None:
    """The fixture puts a key where a lab would, before it builds."""
    assert not [name for name in wheel_names if "/.provision/" in name or name.endswith(".pyc")]
