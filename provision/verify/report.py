"""What a whole run found: outcomes, counts, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provision.errors import ExitCode
from provision.verify.outcome import Outcome, Verdict

FORMAT = "1.0"
"""Version of the JSON form: a new minor only adds keys, a new major may change them."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run of verify found, sorted by host, site and name."""

    fleet: str
    outcomes: tuple[Outcome, ...]
    seconds: float

    @classmethod
    def of(cls, fleet: str, outcomes: Iterable[Outcome], *, seconds: float) -> Report:
        """Sort the outcomes: a host's own before its sites'."""
        key = sorted(outcomes, key=lambda one: (one.host, one.site or "", one.name, one.promise))
        return cls(fleet, tuple(key), seconds)

    def with_verdict(self, verdict: Verdict) -> tuple[Outcome, ...]:
        """The outcomes of one kind."""
        return tuple(one for one in self.outcomes if one.verdict is verdict)

    @property
    def exit_code(self) -> ExitCode:
        """The worst of all outcomes decides; nothing proved is a fault."""
        if self.with_verdict(Verdict.UNREACHABLE):
            return ExitCode.UNREACHABLE
        if len(self.with_verdict(Verdict.PROVED)) < len(self.outcomes) or not self.outcomes:
            return ExitCode.VERIFY_FAULT
        return ExitCode.DONE

    def document(self) -> Mapping[str, Any]:
        """The JSON form."""
        return {
            "format_version": FORMAT,
            "fleet": self.fleet,
            "exit_code": int(self.exit_code),
            "seconds": round(self.seconds, 3),
            "counts": {verdict.value: len(self.with_verdict(verdict)) for verdict in Verdict},
            "outcomes": [one.as_json() for one in self.outcomes],
        }
