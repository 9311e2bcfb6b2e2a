"""What became of one check or probe, and how a check says that it found a fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NoReturn

_LISTED = 4


class Verdict(StrEnum):
    """The four ends of a check."""

    PROVED = "proved"
    FAULT = "fault"
    NOT_TRIED = "not_tried"
    """Something that it needs has failed before; that other fault is reported by itself."""
    UNREACHABLE = "unreachable"
    """No SSH session to the host: nothing is known about it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check or probe that ran: what it promises, where, and what came of it."""

    name: str
    """Stable identifier, as in ``checks.units.unit_runs`` or ``probes.submission.login_465``."""
    promise: str
    """The sentence that is true when the verdict is PROVED."""
    host: str
    site: str | None
    verdict: Verdict
    seconds: float
    fault: str = ""
    """What was found instead; one line."""
    hint: str = ""
    """What to do about it."""
    detail: str = ""
    """Evidence for an expert: a conversation, an exception. Shown on demand and in JUnit."""

    def as_json(self) -> dict[str, Any]:
        """The outcome as JSON values."""
        return {**asdict(self), "verdict": self.verdict.value, "seconds": round(self.seconds, 3)}


class Fault(Exception):
    """The host does not do what is promised: ``what`` was found, and what to do about it."""

    def __init__(self, what: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.detail = detail


class NotTried(Exception):
    """A check could not start, because something that it needs has failed or is missing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def require(truth: object, what: str, *, hint: str = "", detail: str = "") -> None:
    """Raise Fault(what) unless ``truth`` holds.

    Used instead of ``assert``, which ``python -O`` removes: a check must never pass by being left
    out.
    """
    if not truth:
        raise Fault(what, hint=hint, detail=detail)


def require_none(wrong: Sequence[str], *, hint: str = "") -> None:
    """Raise one Fault that lists what is wrong, the first few and the count of the rest."""
    if wrong:
        more = f"; and {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""
        detail = "\n".join(wrong)
        raise Fault("; ".join(wrong[:_LISTED]) + more, hint=hint, detail=detail)


def fault(what: str, *, hint: str = "", detail: str = "") -> NoReturn:
    """Raise Fault(what)."""
    raise Fault(what, hint=hint, detail=detail)
