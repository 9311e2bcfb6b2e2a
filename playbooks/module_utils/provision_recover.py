"""End an apply that was interrupted: the next apply does it, or the host by itself when it boots.

Files that were not proved go back to the old ones; accounts of a generation that was kept are
brought up to date. At boot this runs before the mail daemons start (provision-recover.service), so
that none of them ever reads files of two generations.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from .provision_account_intent import finish, forget, intent_path
from .provision_account_store import Layout as AccountLayout
from .provision_audit import audit
from .provision_commands import run
from .provision_durable import remove
from .provision_failure import words_of
from .provision_generation import Refused, current_manifest
from .provision_journal import recover
from .provision_layout import Layout
from .provision_lock import held
from .provision_packages import UNITS, free_units
from .provision_records import record_result
from .provision_take_back import end_unconfirmed, watch
from .provision_unconfirmed import may_be_confirmed, read_unconfirmed, watched_run


def end_interrupted(layout: Layout) -> tuple[int, ...]:
    """Put the old files back when a switch did not end, or was not confirmed.

    Returns the two generations, or nothing. For who holds the lock of an apply.
    """
    if taken := read_unconfirmed(layout):
        end_unconfirmed(layout)
        return taken["previous"], taken["generation"]
    recovered = recover(layout)
    if recovered:
        forget(_accounts(layout))  # of the generation that has just gone
        _back, left = recovered
        result = {"outcome": "interrupted", "message": words_for(recovered)}
        record_result(layout, left, result)
    return recovered


def _accounts(layout: Layout) -> AccountLayout:
    return AccountLayout(root=str(layout.root))


def words_for(recovered: tuple[int, ...]) -> str:
    """What was done, for people."""
    back, left = recovered
    return f"the switch to generation {left} was interrupted; generation {back} is back"


def at_boot(layout: Layout) -> str:
    """End what was interrupted; what was pending is done, for every daemon starts after this.

    Returns what was done, for people. Raises OSError or ValueError when it cannot be done.
    """
    intent = Path(intent_path(_accounts(layout)))
    traces = (layout.journal, layout.unconfirmed, layout.pending, intent)
    if not any(os.path.lexists(path) for path in traces):
        return ""
    layout.prepare()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    holder = {"who": "provision-recover at boot", "since": now, "commit": ""}
    try:
        with held(layout, holder, seconds=0.0):
            return _end_at_boot(layout, holder)
    except Refused:  # an apply is at work, which starts this unit, too: nothing was interrupted
        return ""


def _end_at_boot(layout: Layout, holder: dict[str, str]) -> str:
    if may_be_confirmed(layout):  # somebody has started this by hand, meanwhile
        return ""
    if taken_back := end_unconfirmed(layout, at_boot=True):
        return str(taken_back["message"])
    words = _end_what_was_decided(layout)
    remove(layout.pending)
    if words:
        number = current_manifest(layout)["generation"]
        result = {"outcome": "recovered", "message": words, "generation": number}
        audit(layout, {"holder": holder, "plan": ""}, result)
    return words


def _end_what_was_decided(layout: Layout) -> str:
    if recovered := end_interrupted(layout):
        return words_for(recovered)
    if layout.current.exists():
        free_units(layout.live(str(UNITS)))
    if sites := finish(_accounts(layout)):
        return f"the account changes of {', '.join(sites)} were interrupted, and are done now"
    return ""


def main() -> None:
    """Run at boot; the one argument, for rehearsals, is the root of the host's file system."""
    if run_id := watched_run():
        watch(Layout(), run_id)
        return
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("/")
    try:
        words = at_boot(Layout(root))
    except (OSError, ValueError) as error:
        sys.exit(f"an interrupted apply could not be ended: {words_of(error)}")
    if words:
        print(words)
        if len(sys.argv) == 1:
            run("systemctl", "daemon-reload")
