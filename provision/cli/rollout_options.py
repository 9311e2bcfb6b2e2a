"""Options of an apply to several hosts: which one first, how many at once, when to stop."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from provision.errors import UsageWrong

if TYPE_CHECKING:
    from provision.apply.rollout import BatchSize

_DEFAULT = "10"


def _parse_size(_context: click.Context, _option: click.Parameter, text: str) -> BatchSize:
    from provision.apply.rollout import BatchSize  # noqa: PLC0415 - start-up time

    try:
        return BatchSize.parse(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither a number of hosts nor a share such as 25%"
        ) from None


_OPTIONS = (
    click.option("--canary", metavar="HOST", help="Apply to this host alone first."),
    click.option("--no-canary", is_flag=True, help="Apply to no host alone first."),
    click.option(
        "--batch",
        callback=_parse_size,
        default=_DEFAULT,
        show_default=True,
        metavar="N|N%",
        help="So many hosts at the same time.",
    ),
    click.option(
        "--max-failures",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="N",
        help="Go on although up to N hosts have failed.",
    ),
)


def rollout_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options; the command receives ``rollout: Rollout``. Raises UsageWrong."""

    @functools.wraps(function)
    def with_rollout(
        *, canary: str | None, no_canary: bool, batch: BatchSize, max_failures: int, **given: Any
    ) -> int:
        from provision.apply.rollout import Rollout  # noqa: PLC0415 - start-up time

        if canary and no_canary:
            raise UsageWrong("--canary and --no-canary exclude each other")
        rollout = Rollout(canary, not no_canary, batch, max_failures)
        return function(rollout=rollout, **given)

    for option in reversed(_OPTIONS):
        with_rollout = option(with_rollout)
    return with_rollout
