"""The lock of the switch, held while a request changes this host: it dies with its holder.

The lock of the whole apply (``provision_apply_lock``) is held by the controller's session around
it. ``alone`` makes sure that it still is, so that an apply that has lost its lock changes nothing.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .provision_durable import read_json, write_json
from .provision_ended import why_ended
from .provision_generation import Refused
from .provision_holder import boottime, current_hold, is_locked, lock_holder
from .provision_layout import Layout


@contextmanager
def alone(layout: Layout, holder: dict[str, Any]) -> Iterator[None]:
    """Hold this host for a request; raises Refused, naming who else does.

    ``holder`` with an ``id``: the apply must still hold its own lock. Without one somebody runs the
    playbook by hand: then nobody may be at work, and nobody may have asked to leave the host alone.
    """
    if holder.get("id"):
        with held(layout, holder):
            _require_own_lock(layout, holder["id"])
            yield
        return
    hold = current_hold(str(layout.root))
    if hold and not hold["expired"]:
        raise Refused(hold["words"])
    with _locked(layout, layout.apply_lock, seconds=3.0):
        write_json(layout.apply_holder, _note(holder))
        with held(layout, holder):
            yield


@contextmanager
def held(layout: Layout, holder: dict[str, Any], *, seconds: float = 3.0) -> Iterator[None]:
    """Hold the lock of the switch; raises Refused, naming the holder, after ``seconds``."""
    with _locked(layout, layout.lock, seconds=seconds):
        write_json(layout.holder, _note(holder))
        yield


def _note(holder: dict[str, Any]) -> dict[str, Any]:
    return {"command": "apply", **holder, "host_pid": os.getpid(), "since_boot": boottime()}


@contextmanager
def _locked(layout: Layout, path: Path, *, seconds: float) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(layout, descriptor, time.monotonic() + seconds)
        yield
    finally:
        os.close(descriptor)


def _acquire(layout: Layout, descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                holder = lock_holder(str(layout.root)) or {}
                raise Refused(holder.get("words", "another was at work until now")) from None
            time.sleep(0.1)
        else:
            return


def _require_own_lock(layout: Layout, lock: str) -> None:
    holder = read_json(layout.apply_holder, {}) if is_locked(str(layout.apply_lock)) else {}
    if holder.get("id") == lock:
        return
    raise Refused(f"this apply has lost its lock {lock}: {why_ended(layout, lock)}")
