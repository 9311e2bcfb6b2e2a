"""Options of the commands that change hosts: how to meet other applies and holds."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from provision.apply.lock_wish import Wish
from provision.model.amounts import Duration

Command = Callable[..., int]


class DurationType(click.ParamType[int]):
    """A duration such as ``5m``; the command receives seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it; click tells the person what is wrong."""
        try:
            return Duration.parse(str(value)).seconds
        except ValueError as error:
            self.fail(str(error), param, ctx)


_OPTIONS = (
    click.option(
        "--lock-timeout",
        type=DurationType(),
        metavar="DURATION",
        help="Wait so long (5m) for another apply to end; never for a hold.",
    ),
    click.option(
        "--during-my-hold", is_flag=True, help="Go on although you hold the host yourself."
    ),
)


def lock_options(does: str) -> Callable[[Command], Command]:
    """Add both; the command receives ``wish: Wish``.

    ``does`` is what the lock says of its holder: apply, rollback, restore or purge.
    """

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def with_wish(*, lock_timeout: int | None, during_my_hold: bool, **given: Any) -> int:
            return function(wish=Wish(does, lock_timeout or 0, during_my_hold), **given)

        for option in reversed(_OPTIONS):
            with_wish = option(with_wish)
        return with_wish

    return decorate
