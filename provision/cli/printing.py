"""Print for people: coloured where there is a terminal, plain where there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import click

from provision.errors import ProvisionError
from provision.plan.show import Line

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def print_lines(lines: Iterable[Line]) -> None:
    """Print lines on standard output."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for line in lines:
        code = _CODES.get(line.style) if coloured else None
        click.echo(f"\x1b[{code}m{line.text}\x1b[0m" if code else line.text, color=coloured)


def print_failures(failures: Mapping[str, ProvisionError]) -> None:
    """Print what went wrong per host, with its hint, on standard error."""
    for error in failures.values():
        click.echo(f"Error: {error.message}", err=True)
        if error.hint:
            click.echo(f"Hint: {error.hint}", err=True)


def tell(line: str) -> None:
    """Print a line on standard error for the person who waits; one who has gone is no error."""
    try:
        click.echo(line, err=True)
    except OSError:
        _say_no_more()


def _say_no_more() -> None:
    """Let standard error lead nowhere: what its buffer keeps would fail again at the exit."""
    with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stderr.fileno())
