"""Take an unconfirmed change of access back: the old files, the access first, then all else."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from .provision_audit import audit
from .provision_commands import run
from .provision_durable import remove
from .provision_generation import Refused, current_manifest
from .provision_journal import recover, roll_back
from .provision_layout import Layout
from .provision_lock import held
from .provision_records import record_result
from .provision_steps import Steps
from .provision_unconfirmed import (
    FIREWALL,
    disarm,
    read_unconfirmed,
    seconds_left,
    why_back,
)
from .provision_units import Failure, activate, in_order

_ACCESS = (FIREWALL, "nftables", "ssh", "networking", "systemd-networkd")
_NO_MEMBER = 3
"""Status of gpasswd(1) for a user who is not in the group, or who is not there."""
_WATCHER = "the watch over the access to this host"


def end_unconfirmed(layout: Layout, *, at_boot: bool = False) -> dict[str, Any]:
    """Take back what nobody confirms any more; what came of it, empty when there is none.

    For who holds the host's locks: then the apply before has ended without a confirmation.
    """
    state = read_unconfirmed(layout)
    return {} if state is None else take_back(layout, state, at_boot=at_boot)


def take_back(layout: Layout, state: dict[str, Any], *, at_boot: bool = False) -> dict[str, Any]:
    """Undo it and write down why, for who holds the host's lock; returns what came of it."""
    number, previous, why = state["generation"], state["previous"], why_back(state)
    failures = undo(layout, state, at_boot=at_boot)
    result = {"outcome": "rolled_back", "message": why, "generation": previous, "lines": []}
    if failures:
        words = f"{why}; the old files are back, but not all that reads them"
        result.update(outcome="needs_person", message=words, lines=failures)
    with suppress(OSError):  # a full disk must not let this be done again and again
        if number != previous:
            record_result(layout, number, result)
        audit(layout, state["request"]["meta"], result)
    disarm(layout)
    return result


def undo(layout: Layout, state: dict[str, Any], *, at_boot: bool = False) -> list[str]:
    """Put the generation before it back, the access first; returns what went wrong with units.

    Killed in the middle, whoever comes next begins anew: the steps are the same.
    """
    number, previous = state["generation"], state["previous"]
    failures = _leave_groups(state)
    for unit in state["arriving"]:
        Steps.before(f"stop {unit}")
        run("systemctl", "disable", *(() if at_boot else ("--now",)), "--", unit)
    if layout.journal.exists():
        recover(layout)
    elif current_manifest(layout)["generation"] == number != previous:
        roll_back(layout, number, previous)
    Steps.before("read the old units")
    run("systemctl", "daemon-reload")
    failures += [] if at_boot else _activate_old(state)
    if not failures:
        remove(layout.pending)
    return failures


def _leave_groups(state: dict[str, Any]) -> list[str]:
    """Let nobody keep the power that this change gave; returns what went wrong."""
    problems = []
    for user, groups in state["request"].get("joining", {}).items():
        for group in groups:
            Steps.before(f"take {user} out of {group}")
            taken = run("gpasswd", "--delete", user, group)
            if taken.status not in (0, _NO_MEMBER):
                problems += [f"{user} is still in {group}", *taken.lines()]
    return problems


def _activate_old(state: dict[str, Any]) -> list[str]:
    """Make every unit read the old files, whatever the others say; returns what went wrong."""
    asked = state["request"]["unit_actions"]
    actions = in_order([action for action in asked if action[0] not in state["arriving"]])
    if not state["previous"]:
        Steps.before("stop what had no configuration before")
        stopped = run("systemctl", "stop", "--", *[unit for unit, _verb in actions])
        return [] if stopped.status == 0 else stopped.lines()
    problems = []
    for unit, verb in sorted(actions, key=lambda action: not action[0].startswith(_ACCESS)):
        try:
            activate([[unit, "restart" if verb == "restart" else "reload"]], heed=False)
        except Failure as failure:
            problems += [str(failure), *failure.lines]
    return problems


def watch(layout: Layout, wanted: str) -> None:
    """Wait until the change is confirmed, or take it back when its time is over."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    holder = {"who": _WATCHER, "since": now, "commit": ""}
    while True:
        left = 1.0
        try:
            with held(layout, holder, seconds=60.0):
                state = read_unconfirmed(layout)
                if state is None or state["run"] != wanted:
                    return
                left = seconds_left(state)
                if left <= 0:
                    take_back(layout, state)
                    return
        except Refused:
            continue  # an apply is at work, or a confirmation
        time.sleep(min(left, 5.0))
