"""``provision rollback``: the files of an earlier generation come back as a new one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.cli.events_option import events_option
from provision.cli.host_options import confirm_option, host_option
from provision.cli.lock_options import lock_options
from provision.cli.printing import print_failures, print_lines, tell
from provision.cli.spec_loading import spec_options
from provision.errors import ExitCode, Refused, UsageWrong
from provision.plan.show import Line, show_plan

if TYPE_CHECKING:
    from provision.apply.lock_wish import Wish
    from provision.apply.outcome import Applied, HostOutcome
    from provision.cli.events import Events
    from provision.cli.remembering import Remembered
    from provision.model.amounts import Duration
    from provision.plan.change import Plan
    from provision.plan.generations import Memory


@click.command("rollback")
@spec_options
@host_option
@click.option("--to", "number", type=click.IntRange(min=1), help="The generation to go back to.")
@confirm_option
@click.option("--yes", is_flag=True, help="Do not ask; for pipelines.")
@lock_options("rollback")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@events_option
def command(  # noqa: PLR0913 - click hands over every option by name
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    number: int | None,
    confirm_timeout: Duration,
    yes: bool,
    wish: Wish,
    form: str,
    events: Events,
) -> int:
    r"""Put the files of an earlier generation back: as a new generation, checked and proved.

    Without --to, those that were live before. Mail, accounts, passwords and Sieve scripts
    stay as they are. The next apply would bring the change back: revert it in the fleet folder,
    too. What touches access to a host is confirmed over a new connection, as in apply.

    Exit 0: done; 5: a host cannot be reached; 6: refused, nothing changed; 7: failed, and the
    host is back on the generation that it had; 8: a host needs a person.

    \b
    Examples:
      provision rollback -i inventories/demo
      provision rollback --host mail1 --to 3
      provision rollback --host mail1 --yes --format json
    """
    from provision.cli.remembering import ask_hosts  # noqa: PLC0415 - start-up time

    told = ask_hosts(fleet_dir, vault_password_file, hosts)
    if number is not None and len(told.hosts) > 1:
        raise UsageWrong("generations are counted by host", hint=f"add --host, with --to {number}")
    run = _Run(fleet_dir, told, confirm_timeout, events=events, is_json=form == "json")
    run.look(number)
    run.confirm(yes=yes)
    return run.finish(wish)


class _Run:
    """One run of the command over the hosts that answered."""

    def __init__(
        self,
        fleet_dir: Path,
        told: Remembered,
        confirm_timeout: Duration,
        *,
        events: Events,
        is_json: bool,
    ) -> None:
        self.fleet_dir, self.told, self.events, self.is_json = fleet_dir, told, events, is_json
        self.confirm_seconds = confirm_timeout.seconds
        self.targets: dict[str, int] = {}
        self.seen: Mapping[str, Memory] = {}
        self.refused: list[HostOutcome] = []
        self.plan: Plan

    def look(self, number: int | None) -> None:
        """Choose each host's generation, compare it with what is live, and show what changes."""
        from provision.cli.plan_events import tell_plan  # noqa: PLC0415 - start-up time
        from provision.hosts.memory import recall  # noqa: PLC0415
        from provision.plan.change import Plan  # noqa: PLC0415
        from provision.plan.rollback import plan_rollback  # noqa: PLC0415

        told = self.told
        for name in told.memories:
            self._choose(name, number)
        chosen = [told.connection.target_of(h) for h in told.hosts if h.name in self.targets]
        seen, failures = recall(chosen, told.connection, against=self.targets, contents=True)
        self.failures = {**told.failures, **failures}
        self.seen = seen
        self.plan = Plan(tuple(plan_rollback(name, memory) for name, memory in seen.items()))
        if not self.is_json and self.plan.hosts:
            for host in self.plan.hosts:
                print_lines([Line(f"{host.host}: back to generation {self.targets[host.host]}")])
            print_lines(show_plan(self.plan))
        print_failures(self.failures)
        tell_plan(self.events, self.plan, self.failures)

    def _choose(self, host: str, number: int | None) -> None:
        from provision.apply.outcome import HostOutcome  # noqa: PLC0415 - start-up time
        from provision.plan.rollback import target_of  # noqa: PLC0415

        try:
            self.targets[host] = target_of(host, self.told.memories[host], number)
        except Refused as refusal:
            hint = (f"next: {refusal.hint}",) if refusal.hint else ()
            self.refused.append(HostOutcome(host, "refused", refusal.message, hint))

    def confirm(self, *, yes: bool) -> None:
        """Ask a person, unless told not to. Raises UsageWrong where nobody can be asked."""
        if yes or self.plan.is_empty:
            return
        if self.is_json or not sys.stdin.isatty():
            raise UsageWrong("nobody can be asked here", hint="review the plan, then add --yes")
        click.confirm("Roll back? Mail and accounts stay as they are.", abort=True)

    def finish(self, wish: Wish) -> int:
        """Roll back where something differs, tell every host's outcome, return the exit code."""
        with ExitStack() as until_told:
            return self._finish(wish, until_told)

    def _finish(self, wish: Wish, until_told: ExitStack) -> int:
        from provision.apply.outcome import HostOutcome, of_error, worst  # noqa: PLC0415
        from provision.cli.play_events import tell_result  # noqa: PLC0415

        outcomes = [HostOutcome(h.host, "unchanged") for h in self.plan.hosts if h.is_empty]
        outcomes += [of_error(name, error) for name, error in self.failures.items()]
        outcomes += self.refused
        applied = None if self.plan.is_empty else self._roll_back(wish, until_told)
        outcomes += applied.outcomes if applied else ()
        for outcome in outcomes:
            tell_result(self.events, outcome.as_json())
        code = ExitCode.INTERRUPTED if applied and applied.interrupted else worst(outcomes)
        if self.is_json:
            self._print_json(outcomes, code)
        else:
            self._tell(outcomes)
        return code

    def _roll_back(self, wish: Wish, until_told: ExitStack) -> Applied:
        from provision.apply.audit import stamp_now, write_audit  # noqa: PLC0415 - start-up time
        from provision.apply.locking import locked  # noqa: PLC0415
        from provision.apply.rollback import Return, roll_back  # noqa: PLC0415
        from provision.cli.play_events import telling  # noqa: PLC0415
        from provision.cli.progress import Progress  # noqa: PLC0415
        from provision.hosts.interrupts import Interrupts  # noqa: PLC0415

        hosts, way = {host.name: host for host in self.told.hosts}, self.told.connection
        returns = [
            Return(
                hosts[plan.host],
                self.targets[plan.host],
                plan,
                self.seen[plan.host].base,
                self.confirm_seconds if plan.access else 0,
            )
            for plan in self.plan.hosts
            if not plan.is_empty
        ]
        stamp = replace(stamp_now(self.fleet_dir), plan=self.plan.digest())
        targets = [way.target_of(one.host) for one in returns]
        with locked(targets, way, stamp, wish, tell) as locks:
            mine = [one for one in returns if one.host.name in locks.generations]
            progress = Progress([one.host.name for one in mine])
            take = telling(self.events, progress.take)
            interrupts = until_told.enter_context(Interrupts(take, self.events.no_longer_wait))
            with progress:
                applied = roll_back(
                    mine, connection=way, stamp=stamp, on_event=take, interrupts=interrupts
                )
            applied = replace(applied, outcomes=(*applied.outcomes, *locks.refusals.values()))
            if not_kept := write_audit(self.fleet_dir, stamp, self.plan, applied.outcomes):
                tell(f"Note: {not_kept}")
        return replace(applied, interrupted=interrupts.is_wanted)

    def _print_json(self, outcomes: Sequence[HostOutcome], code: ExitCode) -> None:
        document = {
            "format_version": "1.0",
            "to": dict(self.targets),
            "plan": self.plan.as_json(),
            "outcomes": [outcome.as_json() for outcome in outcomes],
            "exit_code": int(code),
        }
        click.echo(json.dumps(document, indent=2))

    def _tell(self, outcomes: Sequence[HostOutcome]) -> None:
        from provision.cli.outcomes import outcome_lines  # noqa: PLC0415 - start-up time

        print_lines(outcome_lines(outcomes))
        done = [outcome.host for outcome in outcomes if outcome.word == "applied"]
        print_lines(self._hints(done))

    def _hints(self, hosts: Sequence[str]) -> Iterator[Line]:
        """What to do in the fleet folder so that the next apply does not bring the change back."""
        commits = {
            current.commit
            for name in hosts
            if (current := self.told.memories[name].current) is not None
        }
        if hosts:
            yield Line("The fleet folder still asks for what was rolled back: revert it there.")
        for commit in sorted(commits - {""}):
            clean = commit.removesuffix("+")
            also = "; it also had changes that were in no commit" if commit != clean else ""
            yield Line(f"  git -C {self.fleet_dir} revert {clean}{also}", "bold")
