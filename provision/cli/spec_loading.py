"""What every command that reads a fleet folder shares: its options, and how problems are shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from provision.cli.fleet_option import fleet_option
from provision.errors import SpecInvalid

if TYPE_CHECKING:
    from provision.model.fleet import Fleet
    from provision.spec.load import Loaded
    from provision.spec.looking import Describe

F = TypeVar("F", bound=Callable[..., Any])


def spec_options(function: F) -> F:
    """Add ``-i`` and ``--vault-password-file``: ``fleet_dir`` and ``vault_password_file``."""
    option = click.option(
        "--vault-password-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar=["PROVISION_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_PASSWORD_FILE"],
        metavar="FILE",
        help="Holds the password of secrets.yml. Else $PROVISION_VAULT_PASSWORD_FILE,"
        " $ANSIBLE_VAULT_PASSWORD_FILE, DIR/.provision/vault-password or DIR/.vault-password.",
    )
    return fleet_option(option(function))


def load_or_exit(
    fleet_dir: Path, vault_password_file: Path | None = None, *, describe: Describe | None = None
) -> Fleet:
    """The fleet; raises SpecInvalid (exit code 3) after every problem was shown on stderr.

    Warnings are shown too, and the load goes on. ``describe`` as in `read_fleet`.
    """
    from provision.spec.load import read_fleet  # noqa: PLC0415 - start-up time of other commands

    loaded = read_fleet(fleet_dir, vault_password_file, describe=describe)
    show_problems(loaded)
    if loaded.fleet is None:
        raise SpecInvalid(
            f"the fleet folder {fleet_dir} is not valid",
            hint="nothing was done; correct it and try again",
            problems=loaded.problems,
        )
    return loaded.fleet


def show_problems(loaded: Loaded) -> None:
    """Every problem with its line, on stderr; nothing when there is none."""
    if not loaded.problems:
        return
    from provision.spec.report_text import text_report  # noqa: PLC0415 - only a mistake needs it

    report = text_report(loaded.problems, loaded.quotes, color=_is_colored())
    click.echo(report, err=True, color=True)


def _is_colored() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
