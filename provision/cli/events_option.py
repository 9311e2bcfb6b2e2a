"""The option ``--events`` of the commands that work on hosts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click


def events_option(function: Callable[..., int]) -> Callable[..., int]:
    """Add ``--events``; the command receives ``events: Events``, begun, and is told its end."""

    @click.option(
        "--events",
        "destination",
        metavar="FILE",
        help="Write what happens to FILE, or to fd:N, as it happens: one JSON object a line.",
    )
    @functools.wraps(function)
    def with_events(*, destination: str | None, **given: Any) -> int:
        from provision.cli.events import Events  # noqa: PLC0415 - start-up time

        events = Events.open(destination)
        about = _about(given["fleet_dir"]) if events.are_wanted else {}
        with events.run(click.get_current_context().info_name or "", **about):
            code = function(events=events, **given)
        events.end(code)
        return code

    return with_events


def _about(fleet_dir: Any) -> dict[str, str]:
    from provision.apply.audit import stamp_now  # noqa: PLC0415 - start-up time

    stamp = stamp_now(fleet_dir)
    return {"fleet_dir": str(fleet_dir), "who": stamp.who, "commit": stamp.commit}
