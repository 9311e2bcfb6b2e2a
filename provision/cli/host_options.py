"""Options of the commands that work on hosts: which ones, and what they may go on with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from provision.model.amounts import Duration
from provision.plan.objection import ALLOW_REMOVALS, ALLOW_UPDATES

F = TypeVar("F", bound=Callable[..., Any])
_SHORTEST, _LONGEST = Duration(5), Duration(3600)


def host_option(function: F) -> F:
    """Add ``--host NAME``, repeatable; the command receives ``hosts: tuple[str, ...]``."""
    return click.option(
        "--host",
        "hosts",
        multiple=True,
        metavar="NAME",
        help="Only this host; may be given several times.",
    )(function)


def confirm_option(function: F) -> F:
    """Add ``--confirm-timeout``; the command receives ``confirm_timeout: Duration``."""
    return click.option(
        "--confirm-timeout",
        default="60s",
        show_default=True,
        metavar="TIME",
        callback=_confirm_timeout,
        help="A change that touches access to a host goes back unless it is confirmed within this.",
    )(function)


def _confirm_timeout(_context: click.Context, _option: click.Parameter, value: str) -> Duration:
    try:
        timeout = Duration.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if not _SHORTEST <= timeout <= _LONGEST:
        raise click.BadParameter(f"between {_SHORTEST.words()} and {_LONGEST.words()}")
    return timeout


def permission_options(function: F) -> F:
    """Add ``--allow-removals`` and ``--allow-updates``: ``allowed`` holds those that were given."""
    for flag, verb in ((ALLOW_UPDATES, "updated"), (ALLOW_REMOVALS, "removed")):
        option = click.option(
            flag,
            is_flag=True,
            expose_value=False,
            callback=_allow,
            help=f"Go on although many accounts would be {verb}.",
        )
        function = option(function)
    return function


def _allow(context: click.Context, option: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    given = (option.opts[0],) if value else ()
    context.params["allowed"] = (*context.params.get("allowed", ()), *given)
