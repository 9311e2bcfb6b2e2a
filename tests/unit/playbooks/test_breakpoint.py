"""A rehearsal can stop an apply before any step, and costs nothing where there is none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible.module_utils.provision_breakpoint import arm
from ansible.module_utils.provision_durable import Attributes, remove, write
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_steps import Steps

from tests.unit.playbooks.small_host import ME


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    """Other tests run without a breakpoint."""
    original = Steps.before
    yield
    Steps.before = staticmethod(original)


def _break(layout: Layout, **wanted: object) -> Path:
    path: Path = layout.run / "breakpoint.json"
    path.write_text(json.dumps(wanted))
    arm(layout.run)
    return path


def _standing(layout: Layout) -> dict[str, object] | None:
    try:
        found: dict[str, object] = json.loads((layout.run / "at-step").read_text())
    except FileNotFoundError:
        return None
    return found


def _wait_until_standing(layout: Layout) -> dict[str, object]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if (found := _standing(layout)) is not None:
            return found
        time.sleep(0.01)
    raise AssertionError("it does not stand still")


def test_without_a_breakpoint_nothing_is_counted_or_written(layout: Layout) -> None:
    before = Steps.before
    arm(layout.run)
    assert Steps.before is before
    write(layout.root / "etc/a", b"a", ME)
    assert not (layout.run / "steps").exists()


def test_steps_are_listed_with_their_numbers_over_several_programs(layout: Layout) -> None:
    _break(layout)
    write(layout.root / "etc/a", b"a", ME)
    arm(layout.run)  # the next program of the same apply
    remove(layout.root / "etc/a")
    remove(layout.root / "etc/a")  # not there: nothing is done, so it is no step
    path = layout.root / "etc/a"
    assert (layout.run / "steps").read_text().splitlines() == [
        f"1 write {path}",
        f"2 rename to {path}",
        f"3 remove {path}",
    ]


@pytest.mark.parametrize("key", ["step", "name"])
def test_it_stands_before_the_step_and_goes_on_when_told(layout: Layout, key: str) -> None:
    path = layout.root / "etc/a"
    file = _break(layout, **{key: {"step": 2, "name": f"rename to {path}"}[key]})
    work = threading.Thread(target=write, args=(path, b"a", Attributes(*ME)))
    work.start()
    assert _wait_until_standing(layout) == {"step": 2, "name": f"rename to {path}"}
    assert not path.exists()
    file.unlink()
    work.join(20)
    assert path.read_bytes() == b"a"
    assert _standing(layout) is None


def test_it_does_not_stand_for_ever(layout: Layout) -> None:
    _break(layout, step=1, seconds=0.1)
    write(layout.root / "etc/a", b"a", ME)
    assert (layout.root / "etc/a").read_bytes() == b"a"
