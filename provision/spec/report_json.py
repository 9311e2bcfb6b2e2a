"""Problems for programs: one versioned document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from provision.spec.characters import visible
from provision.spec.problem import Place, Problem, Severity
from provision.spec.quotes import Quotes

FORMAT = "1.0"
"""Version of the document: a new minor only adds keys, a new major may change them."""


def json_report(problems: Sequence[Problem], quotes: Quotes, **more: Any) -> str:
    """The document as ASCII text; ``more`` are further members of it."""
    document = {
        "format_version": FORMAT,
        "ok": not any(problem.severity is Severity.ERROR for problem in problems),
        **more,
        "problems": [problem_values(problem, quotes) for problem in problems],
    }
    return json.dumps(document, indent=2) + "\n"


def problem_values(problem: Problem, quotes: Quotes) -> dict[str, Any]:
    """One problem as JSON values, secrets masked."""
    quote = quotes.quote(problem.place)
    return {
        "severity": problem.severity.value,
        "code": problem.code,
        **_place(problem.place),
        "message": visible(quotes.mask(problem.message)),
        "hint": problem.hint and visible(quotes.mask(problem.hint)),
        "source": quote and quote.text,
        "notes": [
            {**_place(note.place), "message": visible(quotes.mask(note.message))}
            for note in problem.notes
        ],
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "file": visible(place.file),
        "line": place.line or None,
        "column": place.column or None,
        "end_column": place.end_column or None,
    }
