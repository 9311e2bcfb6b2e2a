"""The command init: make a fleet folder to start from."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from provision.errors import ProvisionError, UsageWrong


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> None:
    r"""Make a commented fleet folder to start from, valid as it is.

    secrets.yml is encrypted with a password made for it, which is written to
    DIR/.provision/vault-password. DIR is made, or must be empty.

    \b
    Examples:
      provision init inventories/mine
      provision init .
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageWrong(f"{folder} is not empty", hint="name a new folder")
    try:
        names = _write(folder)
    except OSError as error:
        raise ProvisionError(f"cannot write {error.filename}: {error.strerror}") from error
    click.echo(f"Made the fleet folder {folder}:")
    for name in names:
        click.echo(f"  {name}")
    click.echo(_next_steps(folder))


def _write(folder: Path) -> list[str]:
    from provision.spec.starter import Randomness, starter_files  # noqa: PLC0415 - start-up time

    randomness = Randomness(
        vault_password=secrets.token_urlsafe(32),
        salt=secrets.token_bytes(32),
        fingerprint_key=secrets.token_hex(32),
        password=secrets.token_urlsafe(12),
    )
    files = starter_files(_fleet_name(folder), randomness)
    for name, content in files.items():
        path = folder / name
        private = name.startswith(".provision/")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600 if private else 0o666), "wb") as opened:
            opened.write(content)
    return list(files)


def _fleet_name(folder: Path) -> str:
    from provision.spec.values import check_name  # noqa: PLC0415 - start-up time

    try:
        return check_name(folder.resolve().name.lower())
    except ValueError:
        return "myfleet"


def _next_steps(folder: Path) -> str:
    option = "" if folder == Path() else f" -i {folder}"
    return f"""
Next:
  1. Keep a copy of {folder / ".provision/vault-password"} in a safe place; git ignores it.
  2. Write your host's address and name into {folder / "fleet.yml"}, your site into \
{folder / "sites"}.
  3. provision check{option}
  4. provision trust{option} mail1     # see and pin the host's key
  5. provision plan{option}            # what would change"""
