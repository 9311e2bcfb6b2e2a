"""Carry a request out under the host's lock, and say how it ended: in a result, in every case."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .provision_audit import audit
from .provision_breakpoint import arm
from .provision_durable import sweep
from .provision_failure import words_of
from .provision_generation import Refused
from .provision_layout import Layout
from .provision_lock import alone
from .provision_packages import POLICY, free_daemons
from .provision_records import outcome_of, record_result
from .provision_recover import end_interrupted
from .provision_request import Request, read_request
from .provision_take_back import undo
from .provision_transaction import RolledBack, Transaction
from .provision_unconfirmed import disarm, read_unconfirmed
from .provision_units import Failure
from .provision_write_seen import recall_seen, write_seen


def apply_request(layout: Layout, archive: Path) -> dict[str, Any]:
    """Carry out the request in ``archive``; the result says what came of it, in every case."""
    arm(layout.run)
    request = read_request(archive)
    return carry_out(layout, request.meta["holder"], lambda: request)


def carry_out(layout: Layout, holder: dict[str, str], ask: Callable[[], Request]) -> dict[str, Any]:
    """Carry out what ``ask`` returns, under the host's lock; ``ask`` may raise Refused."""
    layout.prepare()
    try:
        with alone(layout, holder):
            # Packages are there; from here on units are started on purpose.
            free_daemons(layout.live(str(POLICY)))
            sweep(layout.state)
            recall_seen(layout)
            recovered = end_interrupted(layout)
            request = ask()
            transaction = Transaction(layout, request)
            transaction.result["recovered"] = recovered
            result = end(transaction, transaction.begin)
            remember(transaction)
            with suppress(OSError):  # nor must it here
                audit(layout, request.meta, result)
            write_seen(layout)
    except Refused as refusal:
        return {"outcome": "refused", "message": str(refusal), "lines": [], "steps": []}
    except OSError as error:
        word = "needs_person" if layout.journal.exists() else "failed"
        return {"outcome": word, "message": words_of(error), "lines": [], "steps": []}
    return result


def remember(transaction: Transaction) -> None:
    """Write what came of the new generation, or of the current one that was never proved."""
    layout, number = transaction.layout, transaction.number
    is_new = number != transaction.previous
    is_proved = transaction.result["outcome"] == "applied" and not outcome_of(layout, number)
    if is_new or is_proved:
        with suppress(OSError):  # a full disk must not hide what came of the apply
            record_result(layout, number, transaction.result)


def end(transaction: Transaction, work: Callable[[], None]) -> dict[str, Any]:
    """Do ``work`` and note in the result how it ended, whatever comes."""
    result, layout = transaction.result, transaction.layout
    try:
        work()
    except Refused as refusal:
        result.update(outcome="refused", message=str(refusal))
    except RolledBack as failure:
        result.update(outcome="rolled_back", message=str(failure))
    except Failure as failure:
        result.update(outcome="needs_person", message=str(failure), lines=failure.lines)
    except (OSError, ValueError, KeyError) as error:
        transaction.end_whole(error)
    if state := read_unconfirmed(layout):
        _end_unproved(transaction, state)
    return result


def _end_unproved(transaction: Transaction, state: dict[str, Any]) -> None:
    """A change of access that failed before its proof: the access comes back first."""
    result = transaction.result
    if result["outcome"] == "unconfirmed":
        return
    failures = undo(transaction.layout, state)
    result["lines"] = [*result["lines"], *failures]
    result["outcome"] = "needs_person" if failures else "rolled_back"
    disarm(transaction.layout)
