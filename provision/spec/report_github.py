"""Problems as annotations of a GitHub workflow (GitHub Actions, "Workflow commands")."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provision.spec.characters import visible
from provision.spec.problem import Problem
from provision.spec.quotes import Quotes


def github_report(problems: Sequence[Problem], quotes: Quotes, *, fleet_dir: Path) -> str:
    """A line for each problem; files are named from where the command runs."""
    return "".join(_annotation(problem, quotes, fleet_dir) for problem in problems)


def _annotation(problem: Problem, quotes: Quotes, fleet_dir: Path) -> str:
    place = problem.place
    properties = {"file": visible(str(fleet_dir / place.file))}
    if place.line:
        properties |= {"line": str(place.line), "col": str(place.column)}
        properties |= {"endColumn": str(place.end_column)}
    properties["title"] = f"provision {problem.code}"
    message = visible(quotes.mask(problem.message))
    if problem.hint:
        message += f"\nHint: {visible(quotes.mask(problem.hint))}"
    joined = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{problem.severity} {joined}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
