"""A hold: a person wants this host left alone for a while, and says why.

It outlives a reboot and ends by itself. ``answer`` takes one of::

    {"action": "hold", "id": ID, "who": WHO, "reason": TEXT, "seconds": N}
    {"action": "release", "who": WHO}

and returns ``{"outcome": "held" | "released" | "free" | "taken", "hold": ..., "holder": ...}``.
"""

from __future__ import annotations

import os
import time
from typing import Any

from .provision_audit import note
from .provision_durable import remove, write_json
from .provision_holder import boot_id, boottime, current_hold, lock_holder
from .provision_layout import Layout


def answer(layout: Layout, request: dict[str, Any]) -> dict[str, Any]:
    """Place a hold, or end the one that is there."""
    layout.prepare()
    there = standing_hold(layout)
    if request["action"] == "release":
        return _release(layout, there, request["who"])
    if there and there["who"] != request["who"]:
        return {"outcome": "taken", "hold": there, "holder": None}
    write_json(layout.hold, _record(request))
    until = current_hold(str(layout.root))
    note(layout, {"event": "hold", "who": request["who"], "message": (until or {})["words"]})
    # Written first, looked second: an apply that began meanwhile has seen it, or is seen here.
    return {"outcome": "held", "hold": until, "holder": lock_holder(str(layout.root))}


def standing_hold(layout: Layout) -> dict[str, Any] | None:
    """The hold that still counts."""
    hold = current_hold(str(layout.root))
    return None if hold is None or hold["expired"] else hold


def forget_expired(layout: Layout) -> str:
    """Remove a hold whose time is over; its words, for it is told this once."""
    hold = current_hold(str(layout.root))
    if hold is None or not hold["expired"]:
        return ""
    remove(layout.hold)
    return str(hold["words"])


def _record(request: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    kept = {name: request[name] for name in ("id", "who", "reason", "seconds")}
    return {
        **kept,
        "address": os.environ.get("SSH_CONNECTION", "").partition(" ")[0],
        "since": moment(now),
        "until": moment(now + request["seconds"]),
        "since_wall": now,
        "since_boot": boottime(),
        "boot_id": boot_id(),
    }


def moment(seconds: float) -> str:
    """A moment of the wall clock, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _release(layout: Layout, there: dict[str, Any] | None, who: str) -> dict[str, Any]:
    remove(layout.hold)
    if there is None:
        return {"outcome": "free", "hold": None, "holder": None}
    note(layout, {"event": "release", "who": who, "message": there["words"]})
    return {"outcome": "released", "hold": there, "holder": None}
