"""The command check: find everything that is wrong with a fleet folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.cli.spec_loading import show_problems, spec_options
from provision.errors import ExitCode

if TYPE_CHECKING:
    from provision.model.fleet import Fleet
    from provision.spec.load import Loaded


@click.command()
@spec_options
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="text: for people; json: one document; github: annotations of a workflow.",
)
def command(fleet_dir: Path, vault_password_file: Path | None, output: str) -> int:
    r"""Check the fleet folder; reach no host and change nothing.

    Every problem of every file is shown at once, under the line that causes it.
    Exit code 0: valid (there may be warnings); 3: not valid.

    \b
    Examples:
      provision check -i inventories/demo
      provision check --format github
      provision check --format json | jq '.problems[].message'
    """
    from provision.spec.load import read_fleet  # noqa: PLC0415 - start-up time of --help

    started = time.monotonic()
    loaded = read_fleet(fleet_dir, vault_password_file)
    seconds = round(time.monotonic() - started, 2)
    if output == "json":
        _print_json(loaded, seconds)
    elif output == "github":
        from provision.spec.report_github import github_report  # noqa: PLC0415 - one format

        click.echo(github_report(loaded.problems, loaded.quotes, fleet_dir=fleet_dir), nl=False)
    else:
        show_problems(loaded)
    if loaded.fleet is None:
        return ExitCode.SPEC_INVALID
    if output != "json":
        click.echo(_summary(loaded.fleet, seconds))
    return ExitCode.DONE


def _counts(fleet: Fleet) -> dict[str, int]:
    return {
        "hosts": len(fleet.hosts),
        "sites": len(fleet.sites),
        "mailboxes": sum(len(site.mailboxes) for site in fleet.sites),
        "aliases": sum(len(site.aliases) for site in fleet.sites),
    }


def _print_json(loaded: Loaded, seconds: float) -> None:
    from provision.spec.report_json import json_report  # noqa: PLC0415 - one format

    fleet = loaded.fleet
    report = json_report(
        loaded.problems,
        loaded.quotes,
        fleet=fleet.name if fleet else None,
        counts=_counts(fleet) if fleet else None,
        seconds=seconds,
    )
    click.echo(report, nl=False)


def _summary(fleet: Fleet, seconds: float) -> str:
    counts = _counts(fleet)
    one = {"hosts": "host", "sites": "site", "mailboxes": "mailbox"}
    named = [f"{counts[many]} {one[many] if counts[many] == 1 else many}" for many in one]
    return f"The fleet {fleet.name} is valid: {', '.join(named)} ({seconds:.2f} s)."
