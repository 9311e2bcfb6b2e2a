"""What came of an apply on each host, and the exit code that it means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provision.errors import ExitCode, ProvisionError

_CODES = {
    "applied": ExitCode.DONE,
    "unchanged": ExitCode.DONE,
    "refused": ExitCode.REFUSED,
    "rolled_back": ExitCode.ROLLED_BACK,
    "needs_person": ExitCode.NEEDS_PERSON,
    "unreachable": ExitCode.UNREACHABLE,
    "failed": ExitCode.FAILED,
}
_SEVERITY = (
    ExitCode.DONE,
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
        }


def of_error(host: str, error: ProvisionError) -> HostOutcome:
    """The outcome of a host that could not be looked at."""
    word = "unreachable" if error.exit_code is ExitCode.UNREACHABLE else "failed"
    return HostOutcome(host, word, error.message)


def worst(outcomes: Iterable[HostOutcome]) -> ExitCode:
    """With several hosts the worst one decides."""
    codes = [outcome.exit_code for outcome in outcomes]
    return max(codes, key=_SEVERITY.index, default=ExitCode.DONE)
