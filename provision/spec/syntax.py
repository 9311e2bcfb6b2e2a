"""Say in a person's words what libyaml says about YAML that it cannot read."""

from __future__ import annotations

import yaml

from provision.spec.characters import visible
from provision.spec.problem import Note, Place, Problem

_ONE_TAG = "the one tag is !secret NAME"
_TABS = "indent with spaces, not with tabs"
_HINTS = (
    (
        "found character that cannot start any token",
        f"{_TABS}; text that starts with @, ` or % needs quotes",
    ),
    ("found a tab character", _TABS),
    (
        "mapping values are not allowed",
        "text with ': ' in it needs quotes; or the line is indented too deep",
    ),
    ("could not find expected ':'", "a key is followed by ': ' and its value"),
    ("did not find expected key", "check the indentation, or a missing comma, quote or brace"),
    ("did not find expected ',' or", "a [list] or {mapping} is not closed, or lacks a comma"),
    ("did not find expected '-' indicator", "check the indentation of the list"),
    ("found unexpected end of stream", "a quote is not closed"),
    ("undefined tag handle", _ONE_TAG),
    ("did not find expected alphabetic", "text that starts with & or * needs quotes"),
)


def syntax_problem(file: str, error: yaml.MarkedYAMLError) -> Problem:
    """The problem for what libyaml reports."""
    reason = str(error.problem or "unknown reason")
    hint = next(
        (text for start, text in _HINTS if start in reason),
        "compare with an example in docs/reference/spec.md",
    )
    context = _note(file, error)
    return Problem(
        "syntax",
        _place(file, error.problem_mark or error.context_mark),
        f"this is not YAML: {visible(reason)}",
        hint,
        notes=(context,) if context else (),
    )


def _place(file: str, mark: yaml.Mark | None) -> Place:
    if mark is None:
        return Place(file, 1, 1, 2)
    return Place(file, mark.line + 1, mark.column + 1, mark.column + 2)


def _note(file: str, error: yaml.MarkedYAMLError) -> Note | None:
    mark = error.context_mark
    if mark is None or (error.problem_mark and mark.line == error.problem_mark.line):
        return None
    return Note(_place(file, mark), visible(str(error.context or "it starts here")))
