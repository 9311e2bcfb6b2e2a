"""Make units read what has changed: in order, no more than is needed, and prove that they did.

The exit status of a reload proves nothing: ``doveadm reload`` answers 0 to a broken file and goes
on with the old one. So the journal since the reload is read, and the ports are asked.
"""

from __future__ import annotations

import math
import time
from collections.abc import Container
from typing import NamedTuple

from .provision_commands import run
from .provision_complaints import complaints_since, journal_cursor, may_pass
from .provision_probes import forget_old_markers, is_live, probe_unit
from .provision_put_off import retry_put_off
from .provision_steps import Steps

_ORDER = ("rspamd", "dovecot", "postfix", "php", "nginx", "provision-firewall")
_SECONDS = 20.0
_SECONDS_OF_AILING = 5.0
_SILENCE = 2.5
"""After words that may pass: master(8) lets a service that failed wait for 2 s (Dovecot 2.4.1)."""


class Failure(Exception):
    """A unit did not do what was asked; ``lines`` are the log lines that matter."""

    def __init__(self, message: str, lines: list[str]) -> None:
        super().__init__(message)
        self.lines = lines


class Done(NamedTuple):
    """One unit that was activated."""

    unit: str
    verb: str
    seconds: float
    still: str = ""
    """What was wrong before, and still is."""


def in_order(actions: list[list[str]]) -> list[list[str]]:
    """Dovecot's sockets before Postfix, which needs them; the firewall when all else serves."""
    return sorted(actions, key=lambda action: (_rank(action[0]), action[0]))


def _rank(unit: str) -> int:
    for rank, stem in enumerate(_ORDER):
        if unit.startswith(stem):
            return rank
    return len(_ORDER) // 2


def activate(
    actions: list[list[str]], *, heed: bool = True, ailing: Container[str] = ()
) -> list[Done]:
    """Start, reload or restart each unit and prove it; raises Failure at the first that fails.

    Without ``heed`` complaints in the journal do not count: on the way back they may still come
    from the files that failed (nginx tries to bind for 2.5 s). That the unit serves, and opens the
    door that the files on disk name, does. Of ``ailing`` units, which did not serve before, only
    that last thing is required: what was broken already is not held against an apply.
    """
    done = []
    for unit, verb in in_order(actions):
        started = time.monotonic()
        cursor = journal_cursor() if heed else None
        _move(unit, verb)
        still = prove(unit, cursor, is_ailing=unit in ailing)
        forget_old_markers(unit)
        done.append(Done(unit, verb, round(time.monotonic() - started, 2), still))
    if any(unit.startswith("dovecot") for unit, _verb in actions):
        retry_put_off()
    return done


def _move(unit: str, verb: str) -> None:
    Steps.before(f"{verb} {unit}")
    if verb == "start":
        run("systemctl", "reset-failed", "--", unit)
    if verb in {"start", "reload"}:
        # What was planned is not always what is found: systemd may have restarted it since, and
        # to start a unit that runs would leave it with the files that it has read.
        verb = "reload-or-restart" if is_active(unit) else "start"
    moved = run("systemctl", verb, "--", unit, seconds=90)
    if moved.status != 0:
        raise Failure(f"systemctl {verb} {unit} failed", unit_log(unit, 12) or moved.lines())


def ensure_enabled(units: list[str]) -> list[str]:
    """Enable the units that would not come up after a reboot; returns those."""
    disabled = [unit for unit in units if run("systemctl", "is-enabled", "--", unit).status != 0]
    if disabled:
        Steps.before(f"enable {' '.join(disabled)}")
        enabled = run("systemctl", "enable", "--", *disabled)
        if enabled.status != 0:
            raise Failure(f"systemctl enable {' '.join(disabled)} failed", enabled.lines())
    return disabled


def stop(units: list[str]) -> None:
    """Stop units, also those whose files have gone."""
    for unit in units:
        Steps.before(f"stop {unit}")
        run("systemctl", "stop", "--", unit, seconds=90)


def reread_units() -> None:
    """Let systemd read unit files that have changed."""
    Steps.before("daemon-reload")
    run("systemctl", "daemon-reload")


def is_active(unit: str) -> bool:
    """True when systemd says that the unit runs."""
    return run("systemctl", "is-active", "--", unit).status == 0


def unit_log(unit: str, count: int) -> list[str]:
    """The last lines of a unit's log."""
    arguments = (f"--unit={unit}", f"--lines={count}", "--output=cat", "--quiet")
    return run("journalctl", *arguments).output.splitlines()


def prove(unit: str, cursor: str | None, *, is_ailing: bool = False) -> str:
    """Wait until the unit runs and serves; raises Failure when it does not, or complains.

    Complaints are those in the journal after ``cursor``; None: they do not count. What a reload
    may have done by itself counts unless silence follows. One that ``is_ailing`` need not serve:
    then the result says what is wrong with it.
    """
    quiet_from = started = time.monotonic()
    deadline = started + _SECONDS
    enough = started + _SECONDS_OF_AILING if is_ailing else math.inf
    problem, passing = "did not start", ""
    while time.monotonic() < deadline:
        if not is_active(unit):
            time.sleep(0.1)
            continue
        problem = probe_unit(unit)
        complaints: list[str] = []
        if cursor is not None:
            complaints, cursor = complaints_since(unit, cursor)
        if complaints and not may_pass(complaints):
            raise Failure(f"{unit} complains about its configuration", complaints)
        if complaints:
            passing, quiet_from = complaints[-1], time.monotonic() + _SILENCE
        now = time.monotonic()
        if now >= quiet_from and (not problem or (now > enough and is_live(unit))):
            return problem
        time.sleep(0.2)
    raise Failure(f"{unit}: {problem or passing}", unit_log(unit, 12))
