"""A folder for the secrets of a moment."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder (0700) for a moment, in memory where there is some: it will hold secrets.

    ssh removes its socket there by itself, maybe just when all is removed.
    """
    memory = os.environ.get("XDG_RUNTIME_DIR", "/dev/shm")  # noqa: S108 - mkdtemp makes it private
    place = memory if os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="provision-", dir=place))
    try:
        yield folder
    finally:
        while folder.exists():
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)
