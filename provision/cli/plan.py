"""``provision plan``: what an apply would change, without changing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.cli.events_option import events_option
from provision.cli.host_options import host_option
from provision.cli.printing import print_failures, print_lines
from provision.cli.spec_loading import spec_options
from provision.errors import ExitCode, ProvisionError, UsageWrong
from provision.plan.change import Plan

if TYPE_CHECKING:
    from provision.cli.events import Events
    from provision.cli.looking import Looking


@click.command("plan")
@spec_options
@host_option
@click.option("--site", metavar="DOMAIN", help="Show only what concerns this site.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save the plan, for apply FILE.",
)
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text")
@click.option("--full", is_flag=True, help="Show the contents of new files too.")
@events_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
def command(  # noqa: PLR0913 - click hands over every option by name
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    site: str | None,
    output: Path | None,
    form: str,
    full: bool,
    events: Events,
    detailed_exitcode: bool,
) -> int:
    r"""Show exactly what would change on every host. Nothing is changed.

    Exit 0: done; 2: there are changes (with --detailed-exitcode); 3: the spec is invalid;
    5: a host cannot be reached.

    \b
    Examples:
      provision plan -i inventories/demo
      provision plan --host mail1 --full
      provision plan -o tonight.plan
      provision plan --format markdown > comment.md
      provision plan --format json --detailed-exitcode > plan.json
    """
    from provision.cli.looking import Looking  # noqa: PLC0415 - start-up time

    if site and output:
        raise UsageWrong(
            "a plan of one site cannot be saved", hint="a host is applied as a whole: use --host"
        )
    looking = Looking(fleet_dir, vault_password_file, hosts)
    plan, failures = looking.plan(bound=bool(site or output) or form != "text")
    _tell(events, looking, plan, failures)
    if site:
        plan = _of_site(plan, site, {str(each.domain) for each in looking.desired.fleet.sites})
    if output:
        _save(plan, output, fleet_dir, failures)
    if form == "json":
        _print_json(plan, fleet_dir, failures)
    elif form == "markdown":
        from provision.plan.markdown import markdown_plan  # noqa: PLC0415 - start-up time

        click.echo(markdown_plan(plan), nl=False)
    else:
        _print_text(plan, full=full, output=output, is_whole=not site)
    print_failures(failures)
    if failures:
        return max(error.exit_code for error in failures.values())
    return ExitCode.CHANGES if detailed_exitcode and not plan.is_empty else ExitCode.DONE


def _tell(
    events: Events, looking: Looking, plan: Plan, failures: Mapping[str, ProvisionError]
) -> None:
    if not events.are_wanted:
        return
    from provision.cli.plan_events import tell_holder, tell_plan  # noqa: PLC0415 - start-up time

    tell_plan(events, plan, failures)
    for name, holder in looking.holders().items():
        tell_holder(events, name, holder)


def _of_site(plan: Plan, site: str, known: set[str]) -> Plan:
    """The part that concerns a site of the spec, or one that a host still has."""
    from provision.plan.site_filter import only_site, sites_of  # noqa: PLC0415 - start-up time

    names = known | sites_of(plan)
    if site not in names:
        raise UsageWrong(f"neither the fleet nor its hosts have a site {site!r}")
    return only_site(plan, site, known=names)


def _save(plan: Plan, output: Path, fleet_dir: Path, unreached: Iterable[str]) -> None:
    from provision.apply.plan_file import bind, write_plan_file  # noqa: PLC0415 - start-up time

    write_plan_file(bind(plan, fleet_dir, unreached), output)


def _print_json(plan: Plan, fleet_dir: Path, unreached: Iterable[str]) -> None:
    from provision.apply.plan_file import bind  # noqa: PLC0415 - start-up time

    click.echo(bind(plan, fleet_dir, unreached).text(), nl=False)


def _print_text(plan: Plan, *, full: bool, output: Path | None, is_whole: bool) -> None:
    from provision.plan.show import Line, show_plan  # noqa: PLC0415 - start-up time

    print_lines(show_plan(plan, full=full))
    if output:
        words = f"Saved to {output}. Apply exactly this: provision apply {output}"
        print_lines([Line(words if output.is_file() else f"Written to {output}.")])
    elif is_whole and not plan.is_empty:
        print_lines([Line(f"Digest: {plan.digest()}", "dim")])
