"""Confirm a change of access over a new connection, and say what came of an apply."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from .provision_audit import audit
from .provision_breakpoint import arm
from .provision_carry_out import end, remember
from .provision_durable import read_json
from .provision_generation import Refused, current_manifest
from .provision_layout import Layout
from .provision_lock import held
from .provision_request import Request, directories_of, files_of
from .provision_take_back import take_back
from .provision_transaction import Transaction
from .provision_unconfirmed import disarm, read_unconfirmed, seconds_left

_SECONDS = 2.0


def confirm(layout: Layout, wanted: str) -> dict[str, Any]:
    """Keep the change of the run ``wanted`` when it waits for that; what came of it in any case.

    ``outcome`` is one of an apply's, or ``working``: it goes on; ``unknown``: this host has never
    heard of the run.
    """
    layout.prepare()
    arm(layout.run)
    holder = {"who": "the confirmation of a change", "since": "a moment ago", "commit": ""}
    try:
        with held(layout, holder, seconds=_SECONDS):
            state = read_unconfirmed(layout)
            if state is None or state["run"] != wanted:
                return verdict(layout, wanted)
            if seconds_left(state) <= 0:
                return take_back(layout, state)
            return _keep(layout, state)
    except Refused as busy:
        return {"outcome": "working", "message": str(busy)}


def verdict(layout: Layout, wanted: str) -> dict[str, Any]:
    """What this host has written down about the run ``wanted``, in its audit log."""
    current = current_manifest(layout)["generation"]
    lines = layout.audit.read_text("utf-8").splitlines() if layout.audit.exists() else []
    for line in reversed(lines):
        try:
            told = json.loads(line)
        except ValueError:  # cut short by a power cut
            continue
        if told.get("lock") == wanted and "outcome" in told:
            return {
                "outcome": told["outcome"],
                "message": told["message"],
                "generation": told["generation"],
                "lines": [],
            }
    waits = read_unconfirmed(layout) is not None  # for another run's confirmation
    word = "interrupted" if layout.journal.exists() and not waits else "unknown"
    return {"outcome": word, "message": "", "generation": current}


def _keep(layout: Layout, state: dict[str, Any]) -> dict[str, Any]:
    """The change stays: now come the accounts, which need it, and the end of the apply."""
    transaction = _resumed(layout, state)
    disarm(layout)
    result = end(transaction, transaction.finish)
    remember(transaction)
    with suppress(OSError):  # the change is confirmed, and kept
        audit(layout, transaction.request.meta, result)
    return result


def _resumed(layout: Layout, state: dict[str, Any]) -> Transaction:
    manifest = read_json(layout.generation(state["generation"]) / "manifest.json")
    known = {
        **state["request"],
        "files": files_of(manifest),
        "directories": directories_of(manifest),
        "blobs": {},
    }
    transaction = Transaction(layout, Request(**known))
    transaction.number, transaction.previous = state["generation"], state["previous"]
    transaction.result.update(state["result"], outcome="applied")
    return transaction
