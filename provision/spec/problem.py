"""What is wrong with a fleet folder, and where: the values that the printers show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from provision.errors import SpecInvalid


class Severity(StrEnum):
    """An error stops the load; a warning is shown and the load goes on."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A place in a file of the fleet folder: path below it, line and columns counted from 1.

    Line 0 means the file as a whole. ``end_column`` is the first column after the marked text.
    """

    file: str
    line: int = 0
    column: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that belongs to a problem, as in "first given here"."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing a person must change. ``code`` is a stable word for programs."""

    code: str
    place: Place
    message: str
    hint: str
    """What to do about it."""
    severity: Severity = Severity.ERROR
    notes: tuple[Note, ...] = ()


class Problems:
    """Collects every problem of a load."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Keep a problem; one that says the same of the same place is kept once."""
        if problem not in self._found[-20:]:
            self._found.append(problem)

    def error(self, code: str, place: Place, message: str, *, hint: str) -> None:
        """Keep an error."""
        self.add(Problem(code, place, message, hint))

    def warn(self, code: str, place: Place, message: str, *, hint: str) -> None:
        """Keep a warning."""
        self.add(Problem(code, place, message, hint, Severity.WARNING))

    @property
    def has_errors(self) -> bool:
        """True when the spec cannot become a Fleet."""
        return any(problem.severity is Severity.ERROR for problem in self._found)

    @property
    def has_any(self) -> bool:
        """True when anything was found, warnings too."""
        return bool(self._found)

    def sorted(self) -> tuple[Problem, ...]:
        """Every problem, by file, line and column."""
        return tuple(sorted(self._found, key=lambda problem: (problem.place, problem.code)))


def spec_invalid(problems: tuple[Problem, ...]) -> SpecInvalid:
    """The exception for these problems; its message lists the errors, a line each."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    shown = [f"{problem.place}: {problem.message}" for problem in errors[:20]]
    if len(errors) > len(shown):
        shown.append(f"... and {len(errors) - len(shown)} more")
    return SpecInvalid("\n".join(["the fleet folder is not valid", *shown]), problems=problems)
