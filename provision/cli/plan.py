"""``provision plan``: what an apply would change, without changing it."""

from __future__ import annotations

import json
from pathlib import Path

import click

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
    from provision.cli.looking import Looking  # noqa: PLC0415 - start-up time
    from provision.plan.show import show_plan  # noqa: PLC0415

    plan, failures = Looking(fleet_dir, vault_password_file, hosts).plan()
    if form == "json":
        document = {**plan.as_json(), "unreached": sorted(failures)}
        click.echo(json.dumps(document, indent=2))
    else:
        print_lines(show_plan(plan, full=full))
    print_failures(failures)
    if failures:
        return max(error.exit_code for error in failures.values())
    return ExitCode.CHANGES if detailed_exitcode and not plan.is_empty else ExitCode.DONE
