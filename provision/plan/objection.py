"""What speaks against a plan: a rule, whom it concerns, the arithmetic, and the flag to go on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ALLOW_REMOVALS = "--allow-removals"
ALLOW_UPDATES = "--allow-updates"
TAKE_OVER = "--take-over"


class Rule(StrEnum):
    """The rules that a plan can break."""

    PROTECTED = "protected"
    EMPTIED = "emptied"
    HALVED = "halved"
    REMOVALS = "removals"
    UPDATES = "updates"
    UNREADABLE = "unreadable"
    OWNER = "owner"


@dataclass(frozen=True, order=True, slots=True)
class Objection:
    """One reason why a plan is not applied as it stands."""

    rule: Rule
    scope: str
    """Name of the host, domain of the site or address of the mailbox that it is about."""
    message: str
    """For people, with the arithmetic; it names ``scope``."""
    flag: str = ""
    """The option of apply that lets it pass; empty where none does."""

    def as_json(self) -> dict[str, str]:
        """The objection as JSON values."""
        return {
            "rule": self.rule.value,
            "scope": self.scope,
            "message": self.message,
            "flag": self.flag,
        }
