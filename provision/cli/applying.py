"""One run of ``provision apply``: look, judge, ask, apply batch by batch, tell every outcome."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from provision.apply.ahead import Ahead
from provision.apply.outcome import Applied, HostOutcome, of_error, worst
from provision.apply.permission import refused
from provision.apply.rollout import Rollout, without_canary
from provision.cli.approval import Approval
from provision.cli.events import Events
from provision.cli.looking import Looking
from provision.cli.plan_events import tell_holder, tell_plan
from provision.cli.play_events import tell_result, telling
from provision.cli.printing import print_failures, print_lines, tell
from provision.errors import ExitCode, ProvisionError, UsageWrong
from provision.plan.change import HostPlan, Plan
from provision.plan.show import show_plan

if TYPE_CHECKING:
    from provision.apply.lock_wish import Wish
    from provision.apply.request import Stamp
    from provision.cli.turn import Turn
    from provision.hosts.interrupts import Interrupts
    from provision.model.amounts import Duration
    from provision.model.secret import Secret


FORMAT = "1.0"
"""Version of the JSON document: a new minor only adds keys, a new major may change them."""


class Applying:
    """The steps of the command, in the order of the methods."""

    def __init__(
        self,
        looking: Looking,
        approval: Approval,
        rollout: Rollout,
        *,
        events: Events,
        is_json: bool,
    ) -> None:
        self._looking, self._approval, self._rollout = looking, approval, rollout
        self._events, self._is_json, self._ahead = events, is_json, Ahead()
        self._plan = Plan(())
        self._failures: Mapping[str, ProvisionError] = {}
        self._refusals: tuple[HostOutcome, ...] = ()
        self._applied: Applied | None = None
        self._interrupts: Interrupts | None = None
        self._told: set[str] = set()
        self._allowed: AbstractSet[str] = frozenset()
        self._is_reviewed = True

    def run(
        self,
        allowed: AbstractSet[str],
        wish: Wish,
        confirm_timeout: Duration,
        *,
        yes: bool,
        show_passwords: bool,
    ) -> int:
        """All steps; returns the exit code."""
        with self._ahead:
            self.look()
            self.judge(allowed)
            with ExitStack() as until_told:
                if self.is_wanted:
                    self.confirm(yes=yes)
                    self.apply(wish, confirm_timeout, until_told)
                code = self.finish(show_passwords=show_passwords)
            self.look_again()
            return code

    def look(self) -> None:
        """Plan, and show what would change."""
        self._looking.before_survey = self._ahead.begin
        self._plan, self._failures = self._approval.plan(self._looking, bound=self._is_json)
        if not self._is_json:
            print_lines(show_plan(self._plan))
        print_failures(self._failures)
        tell_plan(self._events, self._plan, self._failures)
        for name, holder in self._looking.holders().items():
            tell_holder(self._events, name, holder)

    def judge(self, allowed: AbstractSet[str]) -> None:
        """Hold the plan against what was approved and allowed. Raises UsageWrong."""
        self._require_known_canary()
        self._allowed = allowed
        self._refusals = (
            self._approval.refusals(self._looking, self._plan)
            or refused(self._plan, allowed)
            or without_canary(self._rollout, self._plan, self._failures)
        )

    def _require_known_canary(self) -> None:
        known = [host.host for host in self._plan.hosts] + list(self._failures)
        if self._rollout.canary is not None and self._rollout.canary not in known:
            raise UsageWrong(
                f"the canary {self._rollout.canary!r} is none of the hosts",
                hint=f"they are: {', '.join(sorted(known))}",
            )

    @property
    def is_wanted(self) -> bool:
        """True when there is something to do and nothing speaks against it."""
        return not self._plan.is_empty and not self._refusals

    def confirm(self, *, yes: bool) -> None:
        """Ask a person, unless told not to. Raises UsageWrong where nobody can be asked."""
        self._is_reviewed = self._approval.is_given or not yes
        if yes or self._approval.is_given:
            return
        if self._is_json or not sys.stdin.isatty():
            raise UsageWrong("nobody can be asked here", hint="review the plan, then add --yes")
        count = sum(not host.is_empty for host in self._plan.hosts)
        click.confirm(f"Apply this to {count} host{'s' * (count != 1)}?", abort=True)

    def apply(self, wish: Wish, confirm_timeout: Duration, until_told: ExitStack) -> None:
        """Make it true under the hosts' locks, batch by batch, and keep the audit line.

        From the first batch on Ctrl-C is only counted, until ``until_told`` is left: what came of
        the hosts must not be lost when it comes late.
        """
        from provision.apply.audit import stamp_now  # noqa: PLC0415 - start-up time
        from provision.apply.batches import Rolling  # noqa: PLC0415
        from provision.apply.run import Means, apply_batch  # noqa: PLC0415
        from provision.cli.progress import Progress  # noqa: PLC0415
        from provision.cli.turn import turn  # noqa: PLC0415
        from provision.hosts.interrupts import Interrupts  # noqa: PLC0415

        stamp = stamp_now(self._looking.fleet_dir)
        allowed = None if self._is_reviewed else self._allowed
        with turn(self._looking, self._plan, stamp, wish, allowed) as mine:
            self._show_fresh(mine.fresh)
            works = {n: replace(w, confirm_timeout=confirm_timeout) for n, w in mine.works.items()}
            progress = Progress(list(works))
            take = telling(self._events, progress.take)
            interrupts = until_told.enter_context(Interrupts(take, self._events.no_longer_wait))
            self._interrupts = interrupts
            with progress:
                means = Means(
                    fleet=self._looking.desired.fleet,
                    connection=self._looking.connection,
                    stamp=replace(stamp, plan=mine.plan.digest()),
                    on_event=take,
                    interrupts=interrupts,
                    ahead=self._ahead,
                )
                rolling = Rolling(self._rollout, interrupts, take)
                rolling.held = mine.why_not(self._rollout.canary)
                applied = rolling.over(
                    list(works), lambda names: apply_batch([works[name] for name in names], means)
                )
            ended = self._keep(applied, mine, stamp)
        self._applied = replace(ended, interrupted=interrupts.is_wanted)

    def _keep(self, applied: Applied, mine: Turn, stamp: Stamp) -> Applied:
        """Keep how the hosts ended, before anything else can go wrong."""
        from provision.apply.audit import write_audit  # noqa: PLC0415 - start-up time

        self._told = {outcome.host for outcome in applied.outcomes}
        self._plan = mine.plan
        self._applied = ended = replace(applied, outcomes=(*applied.outcomes, *mine.refusals))
        if not_kept := write_audit(self._looking.fleet_dir, stamp, self._plan, ended.outcomes):
            tell(f"Note: {not_kept}")
        return ended

    def _show_fresh(self, hosts: tuple[HostPlan, ...]) -> None:
        if not hosts:
            return
        tell("Another apply has ended meanwhile; what is left to do now is another plan.")
        if not self._is_json:
            print_lines(show_plan(Plan(hosts)))

    def finish(self, *, show_passwords: bool) -> int:
        """Tell every host's outcome; returns the exit code."""
        outcomes = self._outcomes()
        self._tell_rest(outcomes)
        code = worst(outcomes)
        if self._applied and self._applied.interrupted:
            code = ExitCode.INTERRUPTED
        if self._is_json:
            self._print_json(outcomes, code, show_passwords=show_passwords)
        elif self._applied or self._refusals:
            self._tell(outcomes)
        return code

    def _outcomes(self) -> list[HostOutcome]:
        """How every host ended: those with nothing to do, those not reached, and the others."""
        ended = self._applied.outcomes if self._applied else self._refusals
        told = {outcome.host for outcome in ended}
        idle = [host.host for host in self._plan.hosts if host.is_empty and host.host not in told]
        unreached = [of_error(name, error) for name, error in self._failures.items()]
        return [*(HostOutcome(name, "unchanged") for name in idle), *unreached, *ended]

    def _tell_rest(self, outcomes: Sequence[HostOutcome]) -> None:
        """Those that were applied to, or left alone, have been told as it happened."""
        for outcome in outcomes:
            if outcome.host not in self._told:
                tell_result(self._events, outcome.as_json())

    def _tell(self, outcomes: Sequence[HostOutcome]) -> None:
        """Every host's outcome, and passwords that were made."""
        from provision.cli.outcomes import outcome_lines, password_lines  # noqa: PLC0415

        print_lines(outcome_lines(outcomes))
        if self._applied is not None:
            print_lines(password_lines(self._applied))

    def look_again(self) -> None:
        """Show people the plan as it is now, unless they want no more."""
        if self._interrupts and self._interrupts.is_abort:
            return
        ended = self._applied.outcomes if self._applied and not self._is_json else ()
        if done := tuple(outcome.host for outcome in ended if outcome.word == "applied"):
            found = self._looking.again(done)
            print_lines(show_plan(found.plan))
            print_failures(found.failures)

    def _print_json(
        self, outcomes: Sequence[HostOutcome], code: ExitCode, *, show_passwords: bool
    ) -> None:
        from provision.apply.plan_file import bind  # noqa: PLC0415 - start-up time

        document = {
            "format_version": FORMAT,
            "plan": bind(self._plan, self._looking.fleet_dir, self._failures).as_json(),
            "outcomes": [outcome.as_json() for outcome in outcomes],
            "exit_code": int(code),
        }
        if show_passwords and self._applied:
            document["generated_passwords"] = _revealed(self._applied.generated)
            document["unsure_passwords"] = _revealed(self._applied.unsure)
        click.echo(json.dumps(document, indent=2))


def _revealed(passwords: Mapping[str, Secret]) -> dict[str, str]:
    return {address: password.reveal() for address, password in passwords.items()}
