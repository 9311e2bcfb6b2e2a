"""The option of the commands that work on hosts: which ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def host_option(function: F) -> F:
    """Add ``--host NAME``, repeatable; the command receives ``hosts: tuple[str, ...]``."""
    return click.option(
        "--host",
        "hosts",
        multiple=True,
        metavar="NAME",
        help="Only this host; may be given several times.",
    )(function)
