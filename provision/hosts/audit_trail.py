"""Read a host's own record of who applied what: the answer to "who moved it?"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.session import Session
from provision.hosts.target import Target

_LOG = "/var/lib/provision/audit.log"
_LAST = 50


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One apply as the host recorded it."""

    when: str
    who: str
    commit: str
    outcome: str
    generation: int | None

    def words(self) -> str:
        """The apply in words, for the person whose plan it made stale."""
        commit = f" from commit {self.commit}" if self.commit else ""
        number = f", generation {self.generation}" if self.generation is not None else ""
        return f"{self.who} at {self.when}{commit}: {self.outcome}{number}"


def read_audit(target: Target, connection: Connection) -> tuple[AuditLine, ...]:
    """The host's latest applies, oldest first. Raises HostUnreachable, or ProvisionError."""
    with Session.open(target, connection) as session:
        answer = session.run(f"tail -n {_LAST} {_LOG}")
    if answer.status != 0:
        raise ProvisionError(f"{target.name} has no audit log")
    return parse_audit(answer.output)


def parse_audit(log: bytes) -> tuple[AuditLine, ...]:
    """Read audit lines; what is no such line (cut short, written by hand) is left out."""
    found = []
    for line in log.decode("utf-8", "replace").splitlines():
        try:
            values = json.loads(line)
            if "event" not in values:  # a hold or an unlock is no apply
                found.append(_line(values))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return tuple(found)


def _line(values: Mapping[str, object]) -> AuditLine:
    number = values.get("generation")
    return AuditLine(
        when=str(values["when"]),
        who=str(values["who"]),
        commit=str(values["commit"]),
        outcome=str(values["outcome"]),
        generation=number if isinstance(number, int) else None,
    )
