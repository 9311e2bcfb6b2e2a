"""``provision apply``: show the plan, ask, make it true on every host, and say what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.cli.desired import Desired, load_desired
from provision.cli.host_options import host_option
from provision.cli.printing import print_failures, print_lines
from provision.cli.spec_loading import spec_options
from provision.errors import ProvisionError, UsageWrong

if TYPE_CHECKING:
    from provision.apply.outcome import HostOutcome
    from provision.apply.run import Applied
    from provision.apply.survey import Survey
    from provision.hosts.connection import Connection


@click.command("apply")
@spec_options
@host_option
@click.option("--yes", is_flag=True, help="Do not ask; for pipelines.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--show-passwords", is_flag=True, help="With --format json: the generated ones too.")
def command(  # noqa: PLR0913 - click hands over every option by name
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    yes: bool,
    form: str,
    show_passwords: bool,
) -> int:
    r"""Make every host as the spec asks: all of the plan, or the old generation again.

    A configuration that the host's own programs refuse never becomes live. Where nothing differs,
    nothing is done. Running it again finishes what was interrupted.

    Exit 0: done; 5: a host cannot be reached; 6: refused, nothing changed; 7: failed, and the
    host is back on its old generation; 8: a host needs a person.

    \b
    Examples:
      provision apply -i inventories/demo
      provision apply --host mail1
      provision apply --yes --format json
    """
    from provision.hosts.connection import Connection  # noqa: PLC0415 - start-up time

    connection = Connection.of_fleet(fleet_dir)
    connection.enter()
    desired = load_desired(fleet_dir, vault_password_file=vault_password_file, hosts=hosts)
    run = _Run(fleet_dir, desired, connection, is_json=form == "json")
    found = run.look()
    if not found.plan.is_empty:
        run.confirm(found, yes=yes)
    return run.finish(found, show_passwords=show_passwords)


class _Run:
    """One run of the command over a fleet."""

    def __init__(
        self, fleet_dir: Path, desired: Desired, connection: Connection, *, is_json: bool
    ) -> None:
        self.fleet_dir, self.desired, self.connection = fleet_dir, desired, connection
        self.is_json = is_json

    def look(self) -> Survey:
        """Observe, compare, and show the plan."""
        from provision.apply.survey import survey  # noqa: PLC0415 - start-up time
        from provision.plan.show import show_plan  # noqa: PLC0415

        found = survey(self.desired.bundles, self.connection)
        if not self.is_json:
            print_lines(show_plan(found.plan))
        print_failures(found.failures)
        return found

    def confirm(self, found: Survey, *, yes: bool) -> None:
        """Ask a person, unless told not to. Raises UsageWrong where nobody can be asked."""
        if yes:
            return
        if self.is_json or not sys.stdin.isatty():
            raise UsageWrong("nobody can be asked here", hint="review the plan, then add --yes")
        count = sum(not host.is_empty for host in found.plan.hosts)
        click.confirm(f"Apply this to {count} host{'s' * (count != 1)}?", abort=True)

    def finish(self, found: Survey, *, show_passwords: bool) -> int:
        """Apply where something differs, tell every host's outcome, return the exit code."""
        from provision.apply.outcome import HostOutcome, worst  # noqa: PLC0415 - start-up time

        outcomes = [HostOutcome(p.host, "unchanged") for p in found.plan.hosts if p.is_empty]
        outcomes += [HostOutcome(n, "unreachable", e.message) for n, e in found.failures.items()]
        applied = None if found.plan.is_empty else self._apply(found)
        outcomes += applied.outcomes if applied else []
        if self.is_json:
            _print_json(found, outcomes, applied if show_passwords else None)
        elif applied:
            self._tell(outcomes, applied)
        return worst(outcomes)

    def _apply(self, found: Survey) -> Applied:
        from provision.apply.audit import stamp_now, write_audit  # noqa: PLC0415 - start-up time
        from provision.apply.request import HostWork  # noqa: PLC0415
        from provision.apply.run import apply_work  # noqa: PLC0415
        from provision.cli.progress import Progress  # noqa: PLC0415

        works = [
            HostWork(self.desired.bundles[plan.host], found.states[plan.host], plan)
            for plan in found.plan.hosts
            if not plan.is_empty
        ]
        stamp = stamp_now(self.fleet_dir)
        with Progress([work.plan.host for work in works]) as progress:
            applied = apply_work(
                self.desired.fleet,
                works,
                connection=self.connection,
                stamp=stamp,
                on_event=progress.take,
            )
        write_audit(self.fleet_dir, stamp, found.plan, applied.outcomes)
        return applied

    def _tell(self, outcomes: Sequence[HostOutcome], applied: Applied) -> None:
        from provision.cli.outcomes import outcome_lines, password_lines  # noqa: PLC0415

        print_lines(outcome_lines(outcomes))
        print_lines(password_lines(applied.generated))
        self._prove_empty([o.host for o in applied.outcomes if o.word == "applied"])

    def _prove_empty(self, hosts: list[str]) -> None:
        """Success is proved by observing again."""
        from provision.apply.survey import survey  # noqa: PLC0415
        from provision.plan.show import show_plan  # noqa: PLC0415

        if not hosts:
            return
        bundles = {name: self.desired.bundles[name] for name in hosts}
        try:
            print_lines(show_plan(survey(bundles, self.connection).plan))
        except ProvisionError as error:
            click.echo(f"Error: {error.message}", err=True)


def _print_json(found: Survey, outcomes: Sequence[HostOutcome], shown: Applied | None) -> None:
    document = {
        "format_version": "1.0",
        "plan": found.plan.as_json(),
        "outcomes": [
            {
                "host": outcome.host,
                "outcome": outcome.word,
                "message": outcome.message,
                "lines": list(outcome.lines),
                "generation": outcome.generation,
                "seconds": outcome.seconds,
            }
            for outcome in outcomes
        ],
    }
    if shown is not None:
        document["generated_passwords"] = {a: p.reveal() for a, p in shown.generated.items()}
    click.echo(json.dumps(document, indent=2))
