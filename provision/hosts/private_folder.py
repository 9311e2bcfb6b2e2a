"""A folder for the secrets of a moment."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LONGEST = 30
"""Characters that a place may have: below it comes the name of a socket of ssh, of 77, and all of
it has to go into 107 (unix(7))."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder (0700) for a moment, in memory where there is some: it will hold secrets.

    ssh removes its socket there by itself, maybe just when all is removed.
    """
    folder = Path(tempfile.mkdtemp(prefix="provision-", dir=_place()))
    try:
        yield folder
    finally:
        while folder.exists():
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)


def _place() -> str | None:
    """A place in memory; None: there is none, and the usual one has to do."""
    places = (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm")  # noqa: S108 - mkdtemp makes it private
    fit = (p for p in places if 0 < len(p) <= _LONGEST and os.access(p, os.W_OK))
    return next(fit, None)
