"""Enter a network namespace, so that everything this process reaches lies inside it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000  # <linux/sched.h>


def enter_namespace(path: Path) -> None:
    """Move the calling thread, and all it starts from now on, into a network namespace (setns(2)).

    ``path`` is a namespace file such as /run/netns/NAME. Call it before other threads exist: they
    stay where they were. Raises OSError: no such namespace, or not root.
    """
    with path.open("rb") as namespace:
        _setns(namespace.fileno())


@contextmanager
def inside_namespace(path: Path) -> Iterator[None]:
    """Run a block of the calling thread inside a network namespace, and come back after it.

    Sockets opened inside stay inside. Raises OSError as ``enter_namespace`` does.
    """
    with Path("/proc/thread-self/ns/net").open("rb") as home:
        enter_namespace(path)
        try:
            yield
        finally:
            _setns(home.fileno())


def _setns(descriptor: int) -> None:
    # os.setns is new in Python 3.12.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "setns")
