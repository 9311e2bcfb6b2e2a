"""No order rests on a clock here, but certificates do: two clocks that are far apart are told."""

from __future__ import annotations

import calendar
import time

from .provision_generation import Refused

FORMAT = "%Y-%m-%dT%H:%M:%SZ"
FARTHEST = 12 * 3600
"""Seconds that the controller's clock and this host's may be apart."""


def refuse_if_clocks_differ(since: str) -> None:
    """Raise Refused when an apply that has just been started (UTC) seems to be of another day.

    Certificates that are issued by a wrong clock are not valid yet, or not any more.
    """
    try:
        there = calendar.timegm(time.strptime(since, FORMAT))
    except ValueError:
        return  # by hand, with ansible-playbook: it does not say
    here = time.time()
    if abs(here - there) > FARTHEST:
        raise Refused(
            f"the clocks differ: it is {since} where this was started, and"
            f" {time.strftime(FORMAT, time.gmtime(here))} on this host; set the one that is wrong"
            " (timedatectl), then apply again"
        )
