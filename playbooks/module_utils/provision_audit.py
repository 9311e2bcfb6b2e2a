"""One line per apply, kept on the host: who, when, from which commit, and what came of it."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from .provision_layout import Layout


def audit(layout: Layout, meta: dict[str, Any], result: dict[str, Any]) -> None:
    """Append one JSON line to /var/lib/provision/audit.log (UTC, readable by root alone)."""
    line = {
        "who": meta["holder"]["who"],
        "commit": meta["holder"]["commit"],
        "lock": meta["holder"].get("id", ""),
        "plan": meta["plan"],
        "rollback_of": meta.get("rollback_of"),
        "staged": result.get("staged", False),
        "outcome": result["outcome"],
        "generation": result.get("generation"),
        "message": result["message"],
    }
    note(layout, line)


def note(layout: Layout, line: dict[str, Any]) -> None:
    """Append a line; one with an ``event`` is no apply but a hold, a release or an unlock."""
    line = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **line}
    descriptor = os.open(layout.audit, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as log:
        log.write(json.dumps(line, sort_keys=True) + "\n")
        log.flush()
        os.fsync(log.fileno())
