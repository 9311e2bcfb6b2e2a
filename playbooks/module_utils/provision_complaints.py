"""What a unit's log says against its configuration, and what of that only a reload has done.

While Dovecot reloads, a child that has just been started may ask for its settings when the process
that gives them out has ended already. It dies (status 89), master(8) starts another, and the
configuration is good: on a host with mail in flight one reload in ten does this (2.4.1). So such
words count only when they come again.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .provision_commands import run

_COMPLAINTS = {
    "dovecot": r"Config reload failed|config: (?:Error|Fatal)|master: Error|Fatal:|Panic:",
    "postfix": r"fatal:|panic:",
    "nginx": r"\[(?:emerg|alert|crit)\]",
    "php": r"\bERROR:|\bALERT:",
}
_PASSING = re.compile(
    r"[\w-]+: Fatal: Failed to read configuration: "
    r"|master: Error: service\([\w-]+\): .*(?:returned error 89 |startup failed, throttling)"
)
_CURSOR = "-- cursor: "


class Heard(NamedTuple):
    """The complaints since a cursor, and where the log ends now."""

    complaints: list[str]
    cursor: str


def journal_cursor() -> str:
    """Where the journal ends now."""
    lines = run("journalctl", "--lines=0", "--show-cursor", "--quiet").output.splitlines()
    return lines[-1].removeprefix(_CURSOR) if lines else ""


def complaints_since(unit: str, cursor: str) -> Heard:
    """Log lines after ``cursor`` that say a unit does not live with its configuration."""
    pattern = next((p for stem, p in _COMPLAINTS.items() if unit.startswith(stem)), None)
    if pattern is None:
        return Heard([], cursor)
    arguments = [f"--unit={unit}", "--output=cat", "--quiet", "--show-cursor"]
    if cursor:
        arguments.append(f"--after-cursor={cursor}")
    lines = run("journalctl", *arguments).output.splitlines()
    if lines and lines[-1].startswith(_CURSOR):
        cursor = lines.pop().removeprefix(_CURSOR)
    return Heard([line for line in lines if re.search(pattern, line)], cursor)


def may_pass(complaints: list[str]) -> bool:
    """True when all of it may be the reload's doing: children that came too late for settings.

    A child that died for another reason has said so in a line of its own, which may not pass.
    """
    return all(_PASSING.match(line) for line in complaints)
