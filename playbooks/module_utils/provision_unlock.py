"""End the lock of an apply whose controller is lost, and never that of one at the switch.

``answer`` takes ``{"id": ID, "who": WHO, "reason": WORDS}``; a reason is given by the lock's own
controller, which asks over a new connection when that of the lock has gone dead. It returns
``{"outcome": WORD, "holder": ...}``: ``unlocked``; ``free``, nobody holds it; ``other``, the id is
not that of the holder; ``switching``, a switch is at work, which takes seconds and ends whole by
itself; ``stuck``, the holder is no process that could be ended.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .provision_audit import note
from .provision_ended import note_end
from .provision_holder import apply_holder, switch_holder
from .provision_layout import Layout

_SECONDS = 10


def answer(layout: Layout, request: dict[str, Any]) -> dict[str, Any]:
    """End the holder with this id, when it is one and when nothing is half done."""
    layout.prepare()
    with _no_switch(layout) as is_quiet:
        if not is_quiet:
            return {"outcome": "switching", "holder": switch_holder(str(layout.root))}
        holder = apply_holder(str(layout.root))
        if holder is None:
            return {"outcome": "free", "holder": None}
        if holder["id"] != request["id"]:
            return {"outcome": "other", "holder": holder}
        return {"outcome": _end(layout, holder, request), "holder": holder}


@contextmanager
def _no_switch(layout: Layout) -> Iterator[bool]:
    """Keep the lock of the switch meanwhile, so that none begins; False: one is at work."""
    with layout.lock.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _end(layout: Layout, holder: dict[str, Any], request: dict[str, Any]) -> str:
    try:
        process = os.pidfd_open(int(holder.get("host_pid", 0)))
    except (OSError, ValueError):
        return "stuck"
    try:
        # The descriptor stands for this very process: a number that was given to another one
        # meanwhile cannot be hit, once the process is known to hold the lock.
        if not holds(int(holder["host_pid"]), layout.apply_lock):
            return "stuck"
        who = request["who"]
        words = request.get("reason") or f"{who} has ended its lock (provision unlock)"
        note_end(layout, holder["id"], words)
        note(layout, {"event": "unlock", "who": who, "lock": holder["id"], "message": words})
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [], _SECONDS)
    finally:
        os.close(process)
    return "unlocked"


def holds(pid: int, lock: Path) -> bool:
    """Whether the kernel says that a process holds a lock on this file (proc_pid_fdinfo(5))."""
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208 - names are all that is wanted
        return any(_is_lock_on(pid, number, lock) for number in numbers)
    except OSError:
        return False


def _is_lock_on(pid: int, number: str, lock: Path) -> bool:
    opened = Path(f"/proc/{pid}/fd/{number}")
    if not opened.exists() or not opened.samefile(lock):
        return False
    return "FLOCK  ADVISORY  WRITE" in Path(f"/proc/{pid}/fdinfo/{number}").read_text()
