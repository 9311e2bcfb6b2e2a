"""A first apply whose power is cut: nothing serves with a package's own configuration.

``make torture`` tries every border with every disaster; at these two, daemons are installed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.bare_lab import demo_copy
from tests.lab.rehearsal import Rehearsal
from tests.torture.first import try_first
from tests.torture.stage import Stage

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A host whose first apply is known, undisturbed."""
    rehearsed = Rehearsal.of(demo_copy(tmp_path_factory.mktemp("first") / "demo"))
    try:
        rehearsed.lab.up()
        stage = Stage(rehearsed)
        stage.learn_the_first()
        yield stage
    finally:
        rehearsed.close()
        rehearsed.lab.down()


@pytest.mark.parametrize("name", ["create system users", "start postfix.service"])
def test_power_cut_in_a_first_apply_lets_nothing_serve_and_is_gone_on_from(
    stage: Stage, name: str
) -> None:
    assert try_first(stage, "power", name).fault == ""
