"""A host on hold takes no apply but its holder's own, until it is released or its time is over."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.provision_durable import read_json, write_json
from ansible.module_utils.provision_generation import Refused
from ansible.module_utils.provision_hold import answer
from ansible.module_utils.provision_holder import current_hold
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_lock import alone

from tests.unit.playbooks.lock_session import BY_HAND, Enter, enter_and_leave


def _hold(layout: Layout, who: str = "ada@desk", seconds: int = 3600) -> dict[str, Any]:
    asked = {"id": "h1", "who": who, "reason": "new disk", "seconds": seconds}
    told: dict[str, Any] = answer(layout, {"action": "hold", **asked})
    return told


def test_hold_refuses_everybody_but_its_own_holder_who_says_so(
    enter: Enter, layout: Layout
) -> None:
    assert _hold(layout)["outcome"] == "held"
    refused = enter("bob", wait=60).hear()
    assert (refused["event"], refused["reason"]) == ("refused", "hold")
    assert refused["hold"]["words"].endswith("new disk")
    assert enter("bob", during_my_hold=True).hear()["reason"] == "hold"
    assert enter("ada").hear()["reason"] == "hold"
    assert enter("ada", during_my_hold=True).hear()["event"] == "locked"
    with pytest.raises(Refused, match="new disk"):
        enter_and_leave(alone(layout, BY_HAND))


def test_hold_ends_the_waiting_of_those_who_wait_for_a_lock(enter: Enter, layout: Layout) -> None:
    enter().hear()
    second = enter("bob", wait=60)
    second.hear()
    told = _hold(layout, who="eve@desk")
    assert told["holder"]["id"] == "ada-1", "the apply at work goes on, and is told of"
    assert second.hear()["reason"] == "hold"


def test_hold_of_another_is_not_replaced_and_release_tells_whose_it_was(layout: Layout) -> None:
    _hold(layout)
    assert _hold(layout, who="bob@desk")["outcome"] == "taken"
    assert _hold(layout, seconds=7200)["outcome"] == "held"
    told = answer(layout, {"action": "release", "who": "bob@desk"})
    assert (told["outcome"], told["hold"]["who"]) == ("released", "ada@desk")
    assert answer(layout, {"action": "release", "who": "bob@desk"})["outcome"] == "free"
    assert layout.audit.read_text().count('"event"') == 3


def test_hold_that_is_over_is_told_once_and_forgotten(enter: Enter, layout: Layout) -> None:
    _hold(layout)
    hold = read_json(layout.hold)
    write_json(layout.hold, {**hold, "since_boot": hold["since_boot"] - 3601})
    first = enter()
    assert "it is over): new disk" in first.hear()["hold_over"]
    first.leave()
    assert enter().hear()["hold_over"] == ""


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_wall_clock_that_jumps_changes_no_hold_within_a_boot(layout: Layout, jump: int) -> None:
    _hold(layout, seconds=600)
    hold = read_json(layout.hold)
    write_json(layout.hold, {**hold, "since_wall": hold["since_wall"] - jump})
    now = current_hold(str(layout.root))
    assert now is not None
    assert 590 <= now["left"] <= 600


def test_after_a_reboot_the_wall_clock_decides_and_never_makes_a_hold_longer(
    layout: Layout,
) -> None:
    _hold(layout, seconds=600)
    hold = {**read_json(layout.hold), "boot_id": "another"}

    def left(ago: int) -> tuple[bool, int, str]:
        write_json(layout.hold, {**hold, "since_wall": hold["since_wall"] - ago})
        now = current_hold(str(layout.root))
        assert now is not None
        return now["expired"], now["left"], now["doubt"]

    assert left(100)[1] <= 500
    assert left(601)[:2] == (True, 0)
    assert left(-3600) == (False, 600, "the host's clock is behind the beginning of this hold")
