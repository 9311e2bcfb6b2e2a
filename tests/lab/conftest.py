"""One rehearsed demo fleet for all lab tests: machines up, applied once, taken down at the end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.assets import demo_fleet_dir
from tests.lab.rehearsal import Rehearsal


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """The demo fleet, applied to machines of its own."""
    folder = tmp_path_factory.mktemp("rehearsal") / "demo"
    ignored = shutil.ignore_patterns(".provision")
    shutil.copytree(demo_fleet_dir(), folder, ignore=ignored)
    rehearsed = Rehearsal.of(folder)
    try:
        rehearsed.lab.up()
        rehearsed.provision("apply", "--yes")
        yield rehearsed
    finally:
        rehearsed.close()
        rehearsed.lab.down()


@pytest.fixture
def wire(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """The rehearsed fleet, with this test inside its network."""
    with rehearsal.lab.inside():
        yield rehearsal


@pytest.fixture
def fleet_dir(rehearsal: Rehearsal) -> Path:
    """The folder of the rehearsed fleet; a test that edits it puts it back."""
    return rehearsal.fleet_dir
