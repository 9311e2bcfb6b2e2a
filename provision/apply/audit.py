"""The controller's own line per apply, in FLEET/.provision/audit.log."""

from __future__ import annotations

import contextlib
import errno
import getpass
import json
import os
import secrets
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from provision.apply.fleet_version import commit_of
from provision.apply.outcome import HostOutcome
from provision.apply.request import Stamp
from provision.plan.change import Plan

_SHORT = 12


def stamp_now(fleet_dir: Path) -> Stamp:
    """Who applies now, from which machine, and from which commit of the fleet folder."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    return Stamp(who, now, _commit(fleet_dir), secrets.token_hex(4))


def _commit(fleet_dir: Path) -> str:
    """Short commit of the folder, with ``+`` when it has changes; empty outside of git."""
    commit, dirty = commit_of(fleet_dir)
    return f"{commit[:_SHORT]}+" if dirty else commit[:_SHORT]


def write_audit(fleet_dir: Path, stamp: Stamp, plan: Plan, outcomes: Sequence[HostOutcome]) -> str:
    """Append one JSON line: readable by its owner alone, and never a secret in it.

    Returns what is wrong when it cannot be kept, in words: the apply itself has happened.
    """
    line = {
        "when": stamp.since,
        "who": stamp.who,
        "commit": stamp.commit,
        "lock": stamp.id,
        "plan": plan.digest(),
        "hosts": {outcome.host: outcome.word for outcome in outcomes},
    }
    path = fleet_dir / ".provision" / "audit.log"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _append(path, json.dumps(line, sort_keys=True).encode() + b"\n")
    except OSError as error:
        return f"this apply is not in {path}: {error.strerror}"
    return ""


def last_applies(fleet_dir: Path) -> dict[str, str]:
    """Every host that this folder was ever applied to from here, with the time of the last one.

    A host that was removed from fleet.yml is still among them.
    """
    try:
        lines = (fleet_dir / ".provision" / "audit.log").read_text().splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError):  # a line that was cut short
            values = json.loads(line)
            when = str(values["when"])
            found |= {host: when for host, word in values["hosts"].items() if word == "applied"}
    return found


def _append(path: Path, line: bytes) -> None:
    """Append all of it, durably, or nothing: half a line would spoil the next one, too."""
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        before = os.fstat(log).st_size
        if os.write(log, line) != len(line):
            os.ftruncate(log, before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(log)
    finally:
        os.close(log)
