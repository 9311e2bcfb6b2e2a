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
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
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
    descriptor = os.open(layout.audit, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as log:
        log.write(json.dumps(line, sort_keys=True) + "\n")
        log.flush()
        os.fsync(log.fileno())
