"""What a plan tells about mail that is kept: of mailboxes that leave, and of archives that wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provision.model.amounts import Duration, Size
from provision.model.fleet import KEEP_REMOVED


@dataclass(frozen=True, slots=True)
class KeptMail:
    """How much mail a host holds, and for how long it keeps what leaves."""

    mail: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    archived: Mapping[str, str] = field(default_factory=dict)
    keep_removed: Duration = KEEP_REMOVED

    def of_leaving(self, address: str) -> str:
        """``312 messages, 1.2G, archived for 30 days``."""
        return f"{self._amount(address)}, archived for {self.keep_removed.words()}"

    def _amount(self, address: str) -> str:
        if address not in self.mail:
            return "its mail"
        return amount_words(*self.mail[address])

    def of_new(self, address: str) -> str:
        """Where mail of an earlier mailbox of that address waits; empty where there is none."""
        if address not in self.archived:
            return ""
        return (
            f"starts empty; mail of {day_words(self.archived[address])} is archived:"
            f" provision mailbox restore {address}"
        )


def amount_words(messages: int, size: int) -> str:
    """``312 messages, 1.2G``; ``no messages``."""
    if not messages:
        return "no messages"
    return f"{messages} message{'s' * (messages != 1)}, {Size(size).about()}"


def day_words(moment: str) -> str:
    """The day of ``20261123T190700Z`` as ``2026-11-23``."""
    return f"{moment[:4]}-{moment[4:6]}-{moment[6:8]}"
