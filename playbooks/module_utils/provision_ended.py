"""Why applies have lost their locks: told to the one that comes back for it."""

from __future__ import annotations

from .provision_durable import read_json, write_json
from .provision_layout import Layout

_KEPT = 16


def note_end(layout: Layout, lock: str, words: str) -> None:
    """Keep why the lock with this id was ended; the latest few are kept."""
    known = [*read_json(layout.ended, []), [lock, words]]
    write_json(layout.ended, known[-_KEPT:])


def why_ended(layout: Layout, lock: str) -> str:
    """Why it was; without a note its holder was killed, or the host restarted."""
    known: dict[str, str] = dict(read_json(layout.ended, []))
    return known.get(lock, "its holder on the host was ended, or the host restarted")
