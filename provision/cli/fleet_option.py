"""The option that every command shares: which fleet folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def fleet_option(function: F) -> F:
    """Add ``-i/--fleet DIR``; the command receives ``fleet_dir: Path``."""
    return click.option(
        "-i",
        "--fleet",
        "fleet_dir",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        envvar="PROVISION_FLEET",
        default=".",
        show_default="the current folder, or $PROVISION_FLEET",
        metavar="DIR",
        help="The fleet folder: fleet.yml, sites/, secrets.yml.",
    )(function)
