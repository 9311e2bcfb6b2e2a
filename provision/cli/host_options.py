"""Options of the commands that work on hosts: which ones, and the key to the secrets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
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


def vault_option(function: F) -> F:
    """Add ``--vault-password-file FILE``; the command receives ``vault_password_file``."""
    return click.option(
        "--vault-password-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar=["PROVISION_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_PASSWORD_FILE"],
        metavar="FILE",
        help="Holds the password of secrets.yml.",
    )(function)
