"""``provision apply``: show the plan, ask, make it true on every host, and say what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.cli.approval import Approval
from provision.cli.host_options import host_option, permission_options
from provision.cli.lock_options import lock_options
from provision.cli.printing import print_failures, print_lines
from provision.cli.spec_loading import spec_options
from provision.errors import ExitCode, ProvisionError, UsageWrong
from provision.plan.change import Plan

if TYPE_CHECKING:
    from provision.apply.lock_wish import Wish
    from provision.apply.outcome import HostOutcome
    from provision.apply.run import Applied
    from provision.cli.looking import Looking


@click.command("apply")
@click.argument("plan_file", type=click.Path(path_type=Path), metavar="[FILE]", required=False)
@spec_options
@host_option
@click.option("--checksum", default="", metavar="HASH", help="Apply the plan of this digest only.")
@click.option("--yes", is_flag=True, help="Do not ask; for pipelines.")
@permission_options
@lock_options("apply")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--show-passwords", is_flag=True, help="With --format json: the generated ones too.")
def command(  # noqa: PLR0913 - click hands over every option by name
    *,
    plan_file: Path | None,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    checksum: str,
    yes: bool,
    allowed: tuple[str, ...],
    wish: Wish,
    form: str,
    show_passwords: bool,
) -> int:
    r"""Make every host as the spec asks: all of the plan, or the old generation again.

    FILE is a plan that was saved with plan -o: it is applied as it was reviewed, or refused because
    something has moved since.

    What a host's own programs refuse never becomes live. Where nothing differs, nothing is done.
    Running it again finishes what was interrupted.

    Exit 0: done; 5: a host cannot be reached; 6: refused, nothing changed; 7: failed, and the host
    is back on its old generation; 8: a host needs a person.

    \b
    Examples:
      provision apply -i inventories/demo
      provision apply tonight.plan
      provision apply --host mail1
      provision apply --yes --format json
      provision apply --allow-removals
    """
    from provision.apply.outcome import worst  # noqa: PLC0415 - start-up time
    from provision.apply.permission import refused  # noqa: PLC0415

    is_json = form == "json"
    approval = Approval.of(plan_file, checksum, hosts)
    looking = approval.looking(fleet_dir, vault_password_file, hosts)
    plan, failures = approval.plan(looking)
    _show(plan, failures, is_json=is_json)
    refusals = approval.refusals(looking, plan) or refused(plan, set(allowed))
    applied = None
    if not plan.is_empty and not refusals:
        _confirm(plan, yes=yes or approval.is_given, is_json=is_json)
        permissions = set(allowed) if yes and not approval.is_given else None
        plan, applied = _apply(looking, plan, wish, permissions)
    outcomes = _outcomes(plan, failures, applied.outcomes if applied else refusals)
    if is_json:
        _print_json(plan, outcomes, applied if show_passwords else None)
    elif applied or refusals:
        _tell(looking, outcomes, applied)
    return ExitCode.INTERRUPTED if applied and applied.interrupted else worst(outcomes)


def _outcomes(
    plan: Plan, failures: Mapping[str, ProvisionError], ended: Sequence[HostOutcome]
) -> list[HostOutcome]:
    """How every host ended: those with nothing to do, those not reached, and the others."""
    from provision.apply.outcome import HostOutcome, of_error  # noqa: PLC0415 - start-up time

    told = {outcome.host for outcome in ended}
    idle = [host.host for host in plan.hosts if host.is_empty and host.host not in told]
    unchanged = [HostOutcome(name, "unchanged") for name in idle]
    return [*unchanged, *(of_error(name, error) for name, error in failures.items()), *ended]


def _show(plan: Plan, failures: Mapping[str, ProvisionError], *, is_json: bool) -> None:
    from provision.plan.show import show_plan  # noqa: PLC0415 - start-up time

    if not is_json:
        print_lines(show_plan(plan))
    print_failures(failures)


def _confirm(plan: Plan, *, yes: bool, is_json: bool) -> None:
    """Ask a person, unless told not to. Raises UsageWrong where nobody can be asked."""
    if yes:
        return
    if is_json or not sys.stdin.isatty():
        raise UsageWrong("nobody can be asked here", hint="review the plan, then add --yes")
    count = sum(not host.is_empty for host in plan.hosts)
    click.confirm(f"Apply this to {count} host{'s' * (count != 1)}?", abort=True)


def _apply(
    looking: Looking, plan: Plan, wish: Wish, allowed: set[str] | None
) -> tuple[Plan, Applied]:
    """Apply under the locks of all hosts. ``allowed``: as ``turn`` says, None: it was reviewed."""
    from provision.apply.audit import stamp_now, write_audit  # noqa: PLC0415 - start-up time
    from provision.apply.run import apply_work  # noqa: PLC0415
    from provision.cli.progress import Progress  # noqa: PLC0415
    from provision.cli.turn import turn  # noqa: PLC0415

    stamp = stamp_now(looking.fleet_dir)
    with turn(looking, plan, stamp, wish, allowed) as mine, Progress(list(mine.works)) as progress:
        applied = apply_work(
            looking.desired.fleet,
            list(mine.works.values()),
            connection=looking.connection,
            stamp=stamp,
            on_event=progress.take,
        )
    applied = replace(applied, outcomes=(*applied.outcomes, *mine.refusals))
    write_audit(looking.fleet_dir, stamp, mine.plan, applied.outcomes)
    return mine.plan, applied


def _tell(looking: Looking, outcomes: Sequence[HostOutcome], applied: Applied | None) -> None:
    """Every host's outcome, passwords that were made, and the plan as it is now."""
    from provision.cli.outcomes import outcome_lines, password_lines  # noqa: PLC0415

    print_lines(outcome_lines(outcomes))
    if applied is None:
        return
    print_lines(password_lines(applied.generated))
    if done := tuple(o.host for o in applied.outcomes if o.word == "applied"):
        found = looking.again(done)
        _show(found.plan, found.failures, is_json=False)


def _print_json(plan: Plan, outcomes: Sequence[HostOutcome], shown: Applied | None) -> None:
    document = {
        "format_version": "1.0",
        "plan": plan.as_json(),
        "outcomes": [outcome.as_json() for outcome in outcomes],
    }
    if shown is not None:
        document["generated_passwords"] = {a: p.reveal() for a, p in shown.generated.items()}
    click.echo(json.dumps(document, indent=2))
