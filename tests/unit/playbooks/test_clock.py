"""An apply that was started by a wrong clock is refused, for its certificates would be wrong."""

from __future__ import annotations

import time

import pytest
from ansible.module_utils.provision_clock import FORMAT, refuse_if_clocks_differ
from ansible.module_utils.provision_generation import Refused

HOUR = 3600
YEAR = 365 * 24 * HOUR


def _moment(off: int) -> str:
    return time.strftime(FORMAT, time.gmtime(time.time() + off))


@pytest.mark.parametrize("off", [0, HOUR, -HOUR, 11 * HOUR])
def test_clocks_that_are_an_hour_apart_are_no_reason(off: int) -> None:
    refuse_if_clocks_differ(_moment(off))


@pytest.mark.parametrize("off", [YEAR, -YEAR, 13 * HOUR])
def test_clocks_that_are_far_apart_are_named_with_what_to_do(off: int) -> None:
    moment = _moment(off)
    with pytest.raises(Refused, match=f"it is {moment} where .* set the one that is wrong"):
        refuse_if_clocks_differ(moment)


def test_playbook_by_hand_says_no_time_and_is_not_refused() -> None:
    refuse_if_clocks_differ("a moment ago")
