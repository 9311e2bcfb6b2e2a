"""What came of an apply on each host, and the exit code that it means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provision.errors import ExitCode, ProvisionError
from provision.model.secret import Secret

_CODES = {
    "applied": ExitCode.DONE,
    "unchanged": ExitCode.DONE,
    "refused": ExitCode.REFUSED,
    "rolled_back": ExitCode.ROLLED_BACK,
    "needs_person": ExitCode.NEEDS_PERSON,
    "unreachable": ExitCode.UNREACHABLE,
    "failed": ExitCode.FAILED,
    "not_started": ExitCode.INTERRUPTED,
}
_SEVERITY = (
    ExitCode.DONE,
    ExitCode.INTERRUPTED,
    ExitCode.REFUSED,
    ExitCode.UNREACHABLE,
    ExitCode.FAILED,
    ExitCode.ROLLED_BACK,
    ExitCode.NEEDS_PERSON,
)


@dataclass(frozen=True, slots=True)
class HostOutcome:
    """How one host ended. ``word`` is a key of the contract: applied, refused, rolled_back ..."""

    host: str
    word: str
    message: str = ""
    lines: tuple[str, ...] = ()
    """Findings or log lines that matter."""
    generation: int | None = None
    seconds: float = 0.0
    replaced: tuple[str, ...] = ()
    """Files that were not as a generation had left them; the host keeps copies."""

    @property
    def exit_code(self) -> ExitCode:
        """The code that this host alone would give."""
        return _CODES[self.word]

    def as_json(self) -> dict[str, Any]:
        """The outcome as JSON values."""
        return {
            "host": self.host,
            "outcome": self.word,
            "message": self.message,
            "lines": list(self.lines),
            "generation": self.generation,
            "seconds": self.seconds,
            "replaced": list(self.replaced),
        }


@dataclass(frozen=True, slots=True)
class Applied:
    """How every host ended, and the passwords that were made for new mailboxes."""

    outcomes: tuple[HostOutcome, ...]
    generated: Mapping[str, Secret]
    interrupted: bool = False


def of_error(host: str, error: ProvisionError) -> HostOutcome:
    """The outcome of a host that could not be looked at."""
    word = "unreachable" if error.exit_code is ExitCode.UNREACHABLE else "failed"
    return HostOutcome(host, word, error.message)


def not_started(host: str, reason: str) -> HostOutcome:
    """The outcome of a host that was left alone."""
    return HostOutcome(host, "not_started", reason)


def worst(outcomes: Iterable[HostOutcome]) -> ExitCode:
    """With several hosts the worst one decides.

    One that was not started decides only where no other failed: then a person has interrupted.
    """
    codes = [outcome.exit_code for outcome in outcomes]
    return max(codes, key=_SEVERITY.index, default=ExitCode.DONE)
