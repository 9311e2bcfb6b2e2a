"""``provision verify``: prove over the wire that the hosts do what the spec promises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.cli.events_option import events_option
from provision.cli.host_options import host_option
from provision.cli.spec_loading import load_or_exit, spec_options

if TYPE_CHECKING:
    from provision.cli.events import Events
    from provision.verify.outcome import Outcome
    from provision.verify.report import Report


@click.command("verify")
@spec_options
@host_option
@click.option(
    "--site",
    "sites",
    multiple=True,
    metavar="SITE",
    help="Only this site; may be given several times.",
)
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the report as JUnit XML, too.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or one JSON document on standard output.",
)
@events_option
@click.option("-v", "--verbose", is_flag=True, help="List every promise, not only the faults.")
@click.option("--list", "only_list", is_flag=True, help="List all that is tried, and end.")
def command(  # noqa: PLR0913 - click passes one argument an option
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: Sequence[str],
    sites: Sequence[str],
    junit: Path | None,
    output: str,
    events: Events,
    verbose: bool,
    only_list: bool,
) -> int:
    r"""Prove that the hosts do what the spec promises.

    Checks each host through SSH, and probes it over the wire as its customers would: logs in,
    sends, receives, reads, and tries what must be refused. Each site has a hidden mailbox for
    this; nobody's password is used and no message stays. Exit 4 when a fault was found.

    \b
    Examples:
      provision verify -i inventories/demo
      provision verify --site acme.example --verbose
      provision verify --junit reports/verify.xml --format json
    """
    if only_list:
        return _print_list()
    report = _verify(fleet_dir, vault_password_file, hosts=hosts, sites=sites, events=events)
    if junit is not None:
        _write_junit(report, junit)
    if output == "json":
        click.echo(json.dumps(report.document(), indent=2))
    else:
        _print(report, verbose=verbose)
    return int(report.exit_code)


def _verify(
    fleet_dir: Path,
    vault_password_file: Path | None,
    *,
    hosts: Sequence[str],
    sites: Sequence[str],
    events: Events,
) -> Report:
    # Imported here: `verify --list` and `--help` need none of it.
    from provision.certificates.load import load_certificates  # noqa: PLC0415
    from provision.hosts.connection import Connection  # noqa: PLC0415
    from provision.verify.targets import choose_targets  # noqa: PLC0415
    from provision.verify.verifying import verify  # noqa: PLC0415

    connection = Connection.of_fleet(fleet_dir)
    connection.enter()
    fleet = load_or_exit(fleet_dir, vault_password_file)
    certificates = load_certificates(fleet, fleet_dir / ".provision", datetime.now(UTC))
    targets = choose_targets(fleet, certificates, hosts=hosts, sites=sites)
    with _progress() as show:
        return verify(targets, connection, _telling(events, show))


def _telling(events: Events, show: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
    """Show an outcome to people and tell it."""

    def take(outcome: Outcome) -> None:
        show(outcome)
        where = f"{outcome.host}, {outcome.site}" if outcome.site else outcome.host
        message = f"{where}: {outcome.name}: {outcome.verdict.value}"
        about = outcome.as_json()
        events.tell("probe", message, **about)

    return take


def _print_list() -> int:
    from provision.verify.catalogue import catalogue  # noqa: PLC0415 - costs start-up time

    entries = catalogue()
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        click.echo(f"{entry.name:<{width}}  {entry.promise}")
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[Outcome], None]]:
    """One live line on a terminal that counts what has been tried; nothing elsewhere."""
    from rich.console import Console  # noqa: PLC0415 - costs start-up time

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _outcome: None
        return
    tried: list[str] = []
    with console.status("Reaching the hosts ...") as status:

        def show(outcome: Outcome) -> None:
            tried.append(outcome.name)
            status.update(f"{len(tried)} tried, last on {outcome.host}: {outcome.promise}")

        yield show


def _print(report: Report, *, verbose: bool) -> None:
    from rich.console import Console  # noqa: PLC0415 - costs start-up time

    from provision.verify.summary import print_summary  # noqa: PLC0415

    print_summary(report, Console(highlight=False), verbose=verbose)


def _write_junit(report: Report, path: Path) -> None:
    from provision.verify.junit import junit_xml  # noqa: PLC0415 - needed with --junit only

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(junit_xml(report))
    except OSError as error:
        raise click.FileError(str(path), error.strerror or str(error)) from error
