"""``provision render``: every file of every host, for review."""

from __future__ import annotations

from pathlib import Path

import click

from provision.cli.desired import load_desired
from provision.cli.host_options import host_option
from provision.cli.spec_loading import spec_options
from provision.errors import ExitCode, UsageWrong
from provision.model.bundle import Bundle, ManagedFile
from provision.model.secret import MASK


@click.command("render")
@spec_options
@host_option
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="New or empty folder to write to.",
)
def command(
    *, fleet_dir: Path, vault_password_file: Path | None, hosts: tuple[str, ...], output: Path
) -> int:
    r"""Write every file of every host below DIR/HOST at its real path; secrets are masked.

    No host is reached. Compare two renderings with diff -r.

    \b
    Examples:
      provision render -o /tmp/rendered
      provision render --host mail1 -o /tmp/rendered
    """
    if output.exists() and any(output.iterdir()):
        raise UsageWrong(f"{output} is not empty", hint="name a new folder")
    desired = load_desired(fleet_dir, vault_password_file=vault_password_file, hosts=hosts)
    for name, bundle in desired.bundles.items():
        write_bundle(bundle, output / name)
        click.echo(f"{name}: {len(bundle.files)} files in {output / name}")
    return ExitCode.DONE


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Write a bundle's files below ``folder``, those of account data too."""
    for file in bundle.files:
        _write(folder / file.path.lstrip("/"), masked(file))
    for site in bundle.accounts:
        path = folder / "var/lib/provision/accounts/sites" / f"{site.site}.json"
        _write(path, site.document())


def masked(file: ManagedFile) -> bytes:
    """The file's content, or what stands for it."""
    return f"{MASK}\n".encode() if file.secret else file.content


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
