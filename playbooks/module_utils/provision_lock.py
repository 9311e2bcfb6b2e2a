"""One apply at a time: a kernel lock that dies with its holder, and a note on who that is."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .provision_durable import read_json, write_json
from .provision_generation import Refused
from .provision_layout import Layout


@contextmanager
def held(layout: Layout, holder: dict[str, str], *, seconds: float = 3.0) -> Iterator[None]:
    """Hold this host's lock for a block; raises Refused, naming the holder, after ``seconds``."""
    descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(layout, descriptor, time.monotonic() + seconds)
        write_json(layout.holder, holder)
        yield
    finally:
        os.close(descriptor)


def _acquire(layout: Layout, descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Refused(_words(layout)) from None
            time.sleep(0.1)
        else:
            return


def _words(layout: Layout) -> str:
    holder = read_json(layout.holder, {})
    who, since = holder.get("who", "somebody"), holder.get("since", "a moment ago")
    commit = f", commit {holder['commit']}" if holder.get("commit") else ""
    return f"{who} is applying to this host since {since}{commit}"
