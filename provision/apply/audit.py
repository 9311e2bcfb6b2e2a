"""The controller's own line per apply, in FLEET/.provision/audit.log."""

from __future__ import annotations

import getpass
import json
import os
import secrets
import socket
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from provision.apply.outcome import HostOutcome
from provision.apply.request import Stamp
from provision.plan.change import Plan


def stamp_now(fleet_dir: Path) -> Stamp:
    """Who applies now, from which machine, and from which commit of the fleet folder."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    return Stamp(who, now, _commit(fleet_dir), secrets.token_hex(4))


def _commit(fleet_dir: Path) -> str:
    """Short commit of the folder, with ``+`` when it has changes; empty outside of git."""
    argv = ["git", "-C", str(fleet_dir), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def write_audit(fleet_dir: Path, stamp: Stamp, plan: Plan, outcomes: Sequence[HostOutcome]) -> None:
    """Append one JSON line: readable by its owner alone, and never a secret in it."""
    line = {
        "when": stamp.since,
        "who": stamp.who,
        "commit": stamp.commit,
        "lock": stamp.id,
        "plan": plan.digest(),
        "hosts": {outcome.host: outcome.word for outcome in outcomes},
    }
    folder = fleet_dir / ".provision"
    folder.mkdir(mode=0o700, exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    with os.fdopen(os.open(folder / "audit.log", flags, 0o600), "w") as log:
        log.write(json.dumps(line, sort_keys=True) + "\n")
