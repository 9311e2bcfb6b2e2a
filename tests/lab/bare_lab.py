"""Labs of the demo fleet with nothing applied to them, for the tests of the lab itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.assets import demo_fleet_dir
from provision.lab.lab import Lab


def demo_copy(folder: Path) -> Path:
    """A copy of the demo fleet, without any state of its own."""
    shutil.copytree(demo_fleet_dir(), folder, ignore=shutil.ignore_patterns(".provision"))
    return folder


@contextmanager
def bare_lab(folder: Path) -> Iterator[Lab]:
    """The lab of a copy of the demo fleet, up; taken down at the end."""
    lab = Lab.open(demo_copy(folder))
    try:
        lab.up()
        yield lab
    finally:
        lab.down()
