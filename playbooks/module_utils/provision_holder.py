"""Who holds this host: an apply at work (the kernel knows), or a person who wants it left alone.

Standard library only, few modules and paths as text: the observer carries this module, too. An
apply is at work while one of two locks is held (flock(2)): ``apply.lock`` for the whole of it,
``lock`` for the switch inside it. What stands in the files beside them only says by whom.
"""

# ruff: noqa: PTH110, PTH118, PTH123 - see above

from __future__ import annotations

import fcntl
import json
import math
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_APPLY = ("apply.lock", "apply.json")
_SWITCH = ("lock", "holder.json")
_DOES = {
    "apply": "is applying to this host",
    "rollback": "is rolling this host back",
    "restore": "is restoring a mailbox on this host",
    "purge": "is purging archives on this host",
}
_LOOKS = 5
_PARTS = {"id", "who", "reason", "seconds", "since", "until", "since_wall", "since_boot", "boot_id"}


def boottime() -> float:
    """Seconds since the host booted, sleep included: no one can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def is_locked(path: str) -> bool:
    """Whether a process holds the lock; the look itself takes it, shared, for an instant."""
    try:
        with open(path, "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def lock_holder(root: str = "/") -> dict[str, Any] | None:
    """Who is at work, with ``words`` and ``seconds`` for people; None: nobody is."""
    return apply_holder(root) or switch_holder(root)


def apply_holder(root: str = "/") -> dict[str, Any] | None:
    """Who holds the lock of a whole apply."""
    return _holder(root, *_APPLY)


def switch_holder(root: str = "/") -> dict[str, Any] | None:
    """Who holds the lock of the switch; also an apply that has nothing else any more."""
    return _holder(root, *_SWITCH)


def _holder(root: str, lock: str, note: str) -> dict[str, Any] | None:
    folder = os.path.join(root, "run/provision")
    if not is_locked(os.path.join(folder, lock)):
        return None
    holder = _noted(os.path.join(folder, note))
    return {**holder, "words": words(holder)}


def _noted(path: str) -> dict[str, Any]:
    """The note of one that is alive; after a dead holder's the next one's comes in an instant."""
    for _ in range(_LOOKS):
        holder = read_note(path) or {}
        if os.path.exists(f"/proc/{holder.get('host_pid', 0)}"):
            break
        time.sleep(0.02)
    else:
        holder = {}
    since = holder.get("since_boot")
    seconds = None if since is None else max(0, int(boottime() - since))
    named = {"id": "", "who": "somebody", "address": "", "command": "", "commit": "", "since": ""}
    return {**named, **holder, "seconds": seconds}


def words(holder: dict[str, Any]) -> str:
    """Who does what, from where, since when, from which commit, under which id."""
    where = f" ({holder['address']})" if holder.get("address") else ""
    does = _DOES.get(holder.get("command", ""), "is at work on this host")
    if holder.get("ending"):
        does += " without its controller and ends by itself"
    since = f" since {holder['since']}" if holder.get("since") else ""
    ago = "" if holder.get("seconds") is None else f" ({span(holder['seconds'])})"
    commit = f", commit {holder['commit']}" if holder.get("commit") else ""
    job = f", {holder['job']}" if holder.get("job") else ""
    lock = f", lock {holder['id']}" if holder.get("id") else ""
    return f"{holder['who']}{where} {does}{since}{ago}{commit}{job}{lock}"


def span(seconds: int) -> str:
    """A time span for people: ``12 s``, ``4 min``, ``1 h 50 min``."""
    if seconds < 100:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def read_note(path: str) -> dict[str, Any] | None:
    """The JSON at a path; None when there is none, or none that is whole."""
    try:
        with open(path, "rb") as file:
            values = json.load(file)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def current_hold(root: str = "/") -> dict[str, Any] | None:
    """The hold that a person has placed, with ``expired``, ``left`` (seconds) and ``words``."""
    hold = read_note(os.path.join(root, "var/lib/provision/hold.json"))
    if hold is None or not hold.keys() >= _PARTS:
        return None
    left, doubt = _left(hold)
    judged = {**hold, "expired": left <= 0, "left": max(0, math.ceil(left)), "doubt": doubt}
    return {**judged, "words": _hold_words(judged)}


def boot_id() -> str:
    """Which boot of the host this is."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _left(hold: dict[str, Any]) -> tuple[float, str]:
    """Seconds that are left, and what is doubtful about them.

    Within one boot the clock that nobody can set decides. After a reboot there is only the wall
    clock; one that stands before the hold began cannot say what is left, and that is told.
    """
    if hold["boot_id"] == boot_id():
        return hold["seconds"] - (boottime() - hold["since_boot"]), ""
    now = time.time()
    if now < hold["since_wall"] - 60:
        return hold["seconds"], "the host's clock is behind the beginning of this hold"
    return min(hold["since_wall"] + hold["seconds"] - now, hold["seconds"]), ""


def _hold_words(hold: dict[str, Any]) -> str:
    where = f" ({hold['address']})" if hold.get("address") else ""
    left = "it is over" if hold["expired"] else f"{span(hold['left'])} left"
    doubt = f", but {hold['doubt']}" if hold["doubt"] else ""
    about = f"since {hold['since']} until {hold['until']} ({left}{doubt})"
    return f"{hold['who']}{where} holds this host {about}: {hold['reason']}"
