"""``provision plan``: what an apply would change, without changing it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from provision.cli.desired import load_desired
from provision.cli.host_options import host_option
from provision.cli.printing import print_failures, print_lines
from provision.cli.spec_loading import spec_options
from provision.errors import ExitCode


@click.command("plan")
@spec_options
@host_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--full", is_flag=True, help="Show the contents of new files too.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
def command(  # noqa: PLR0913 - click hands over every option by name
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    form: str,
    full: bool,
    detailed_exitcode: bool,
) -> int:
    r"""Show exactly what would change on every host. Nothing is changed.

    Exit 0: done; 2: there are changes (with --detailed-exitcode); 3: the spec is invalid;
    5: a host cannot be reached.

    \b
    Examples:
      provision plan -i inventories/demo
      provision plan --host mail1 --full
      provision plan --format json --detailed-exitcode > plan.json
    """
    from provision.apply.survey import survey  # noqa: PLC0415 - start-up time
    from provision.hosts.connection import Connection  # noqa: PLC0415

    connection = Connection.of_fleet(fleet_dir)
    connection.enter()
    desired = load_desired(fleet_dir, vault_password_file=vault_password_file, hosts=hosts)
    found = survey(desired.bundles, connection)
    if form == "json":
        document = {**found.plan.as_json(), "unreached": sorted(found.failures)}
        click.echo(json.dumps(document, indent=2))
    else:
        from provision.plan.show import show_plan  # noqa: PLC0415

        print_lines(show_plan(found.plan, full=full))
    print_failures(found.failures)
    if found.failures:
        return max(error.exit_code for error in found.failures.values())
    changed = detailed_exitcode and not found.plan.is_empty
    return ExitCode.CHANGES if changed else ExitCode.DONE
