"""Hostile values: each is refused at its line with a hint, and never reaches the model."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provision.spec.load import Loaded
from tests.unit.spec.hostile_addresses import DOMAINS, MAILBOXES, TARGETS
from tests.unit.spec.hostile_case import Case
from tests.unit.spec.hostile_settings import BODIES, EMPTY, SMARTHOSTS

Read = Callable[..., Loaded]
CASES = [*EMPTY, *MAILBOXES, *DOMAINS, *TARGETS, *BODIES, *SMARTHOSTS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_value_is_refused_at_its_line_with_a_hint(case: Case, read: Read) -> None:
    loaded = read({case.file: case.text})
    assert loaded.fleet is None
    found = [
        problem
        for problem in loaded.problems
        if problem.place.file == case.file and problem.place.line == case.line
    ]
    assert [problem for problem in found if case.says in problem.message], loaded.problems
    assert all(problem.hint and problem.place.column > 0 for problem in found)
    assert not case.hint or any(case.hint in problem.hint for problem in found)
