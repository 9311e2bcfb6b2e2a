"""Every document by the name that ``provision schema`` knows it by."""

from __future__ import annotations

from collections.abc import Callable

from provision.contracts.event import event_schema
from provision.contracts.hosts import (
    drift_schema,
    history_schema,
    hold_schema,
    mailboxes_schema,
    status_schema,
)
from provision.contracts.other import check_schema, inventory_schema, labs_schema, verify_schema
from provision.contracts.plan import plan_schema
from provision.contracts.run import apply_schema, rollback_schema
from provision.contracts.shapes import Schema

DOCUMENTS: dict[str, Callable[[], Schema]] = {
    "plan": plan_schema,
    "apply": apply_schema,
    "rollback": rollback_schema,
    "check": check_schema,
    "verify": verify_schema,
    "drift": drift_schema,
    "status": status_schema,
    "history": history_schema,
    "mailboxes": mailboxes_schema,
    "hold": hold_schema,
    "inventory": inventory_schema,
    "labs": labs_schema,
    "event": event_schema,
}
