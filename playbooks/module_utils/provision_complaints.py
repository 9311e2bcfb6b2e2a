"""What a unit's log says against its configuration, and what of that only a reload has done.

While Dovecot reloads, a child that has just been started may ask for its settings when the process
that gives them out has ended already. It dies (status 89), master(8) starts another, and the
configuration is good: on a host with mail in flight one reload in ten does this (2.4.1). So such
words count only when they come again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from .provision_commands import run

_COMPLAINTS = {
    "dovecot": re.compile(
        r"master: (?:Error|Fatal|Panic):|config: (?:Error|Fatal|Panic):"
        r"|[\w-]+(?:\([^()]*\))?(?:<[^<>]*>)*: (?:Fatal|Panic):"
    ),
    "postfix": re.compile(r"(?:(?!warning)[\w/.-]+(?:\[\d+\])?: )*(?:fatal|panic): "),
    "nginx": re.compile(r"(?:nginx: )?(?:[\d/]+ [\d:]+ )?\[(?:emerg|alert|crit)\](?!.*, client: )"),
    "php": re.compile(r"(?:\[[^]]*\] )?(?:ERROR|ALERT): "),
}
"""How a line begins that is the program's own word. What strangers say stands further behind: the
name of a login, an unknown command, another server's answer; nginx says whom it speaks of."""
_PASSING = re.compile(
    r"[\w-]+: Fatal: Failed to read configuration:"
    r" (?:fd_read\(\) failed: Connection reset|stat\(/run/dovecot/config\) failed: No such file)"
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
    if not any(unit.startswith(stem) for stem in _COMPLAINTS):
        return Heard([], cursor)
    arguments = [f"--unit={unit}", "--output=cat", "--quiet", "--show-cursor"]
    if cursor:
        arguments.append(f"--after-cursor={cursor}")
    lines = run("journalctl", *arguments).output.splitlines()
    if lines and lines[-1].startswith(_CURSOR):
        cursor = lines.pop().removeprefix(_CURSOR)
    return Heard(complaints_in(unit, lines), cursor)


def complaints_in(unit: str, lines: Iterable[str]) -> list[str]:
    """Those of the lines of a unit's log that are complaints of the unit's own."""
    pattern = next(pattern for stem, pattern in _COMPLAINTS.items() if unit.startswith(stem))
    return [line for line in lines if pattern.match(line)]


def may_pass(complaints: list[str]) -> bool:
    """True when all of it may be the reload's doing: children that came too late for settings.

    A child that died for another reason has said so in a line of its own, which may not pass.
    """
    return all(_PASSING.match(line) for line in complaints)
