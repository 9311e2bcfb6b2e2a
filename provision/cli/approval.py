"""What was approved before an apply, a saved plan or a digest; and whether it still holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import ProvisionError, Refused, UsageWrong

if TYPE_CHECKING:
    from provision.apply.outcome import HostOutcome
    from provision.cli.looking import Looking
    from provision.plan.change import HostPlan, Plan
    from provision.plan.document import PlanDocument

_APPLIES_SHOWN = 3
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class Approval:
    """At most one of the two is given; without any a person is asked."""

    saved: PlanDocument | None = None
    checksum: str = ""

    @classmethod
    def of(cls, plan_file: Path | None, checksum: str | None, hosts: tuple[str, ...]) -> Approval:
        """Read what the command line names. Raises UsageWrong, or Refused for a useless file."""
        if plan_file is None:
            return cls(checksum="" if checksum is None else _digest(checksum))
        if checksum is not None or hosts:
            raise UsageWrong("a plan file says itself what is applied: leave the other options out")
        from provision.apply.plan_file import read_plan_file  # noqa: PLC0415 - start-up time

        saved = read_plan_file(plan_file)
        if not saved.plan.hosts:
            raise Refused(
                f"the plan file {plan_file} approves nothing: no host answered when it was made",
                hint="make a new one: provision plan -o FILE",
            )
        return cls(saved)

    @property
    def is_given(self) -> bool:
        """True when nobody needs to be asked any more."""
        return self.saved is not None or bool(self.checksum)

    def looking(
        self, fleet_dir: Path, vault_password_file: Path | None, hosts: tuple[str, ...]
    ) -> Looking:
        """What looks at the hosts: those of the saved plan, else the chosen ones.

        Raises Refused when the fleet folder is not the one that the saved plan was made from.
        """
        from provision.cli.looking import Looking  # noqa: PLC0415 - start-up time

        if self.saved is not None:
            _require_fleet(self.saved, fleet_dir)
            hosts = tuple(host.host for host in self.saved.plan.hosts)
        return Looking(fleet_dir, vault_password_file, hosts)

    def plan(
        self, looking: Looking, *, bound: bool = False
    ) -> tuple[Plan, Mapping[str, ProvisionError]]:
        """The plan as it is now, and the hosts that could not be asked; ``bound`` as there."""
        plan, failures = looking.plan(bound=bound or self.is_given)
        return replace(plan, partial=self.saved.plan.partial) if self.saved else plan, failures

    def refusals(self, looking: Looking, plan: Plan) -> tuple[HostOutcome, ...]:
        """The outcome of every host, when the plan is not the approved one; empty: it is."""
        if self.saved is not None:
            return tuple(_stale_outcomes(self.saved, looking, plan))
        if self.checksum and self.checksum != plan.digest():
            from provision.apply.outcome import HostOutcome  # noqa: PLC0415 - start-up time

            message = "the plan is not the approved one"
            lines = (f"approved: {self.checksum}", f"now:      {plan.digest()}")
            return tuple(HostOutcome(host.host, "refused", message, lines) for host in plan.hosts)
        return ()


def _digest(text: str) -> str:
    """What was given as a digest. An empty one, of a variable without a value, approves nothing."""
    if not _DIGEST.fullmatch(text):
        raise UsageWrong(
            f"--checksum {text!r} is no digest of a plan",
            hint="provision plan shows it: 64 digits from 0 to 9 and a to f",
        )
    return text.lower()


def _require_fleet(saved: PlanDocument, fleet_dir: Path) -> None:
    from provision.apply.fleet_version import (  # noqa: PLC0415 - start-up time
        fleet_version,
        moves_since,
    )
    from provision.plan.staleness import fleet_moves  # noqa: PLC0415

    now = fleet_version(fleet_dir)
    moves = list(fleet_moves(saved.fleet, now))
    if moves:
        if saved.fleet.digest != now.digest:
            moves += [f"  {line}" for line in moves_since(fleet_dir, saved.fleet.commit)]
        raise Refused(
            "the plan is stale; since it was made this has moved:\n  " + "\n  ".join(moves),
            hint="make a new plan, have it reviewed, and apply that",
        )


def _stale_outcomes(saved: PlanDocument, looking: Looking, plan: Plan) -> Iterator[HostOutcome]:
    """An outcome for every host as soon as one has moved."""
    from provision.apply.outcome import HostOutcome  # noqa: PLC0415 - start-up time
    from provision.plan.staleness import host_moves  # noqa: PLC0415

    known = {host.host: host for host in saved.plan.hosts}
    moves = {host.host: list(host_moves(known[host.host], host)) for host in plan.hosts}
    if not any(moves.values()):
        return
    for host in plan.hosts:
        lines = moves[host.host]
        message = "the plan is stale" if lines else "the plan of another host is stale"
        if lines:
            lines += _who_moved(known[host.host], host, saved.created, looking)
        yield HostOutcome(host.host, "refused", message, tuple(lines))


def _who_moved(saved: HostPlan, now: HostPlan, created: str, looking: Looking) -> Iterator[str]:
    """The applies since the plan was made, from the host's own audit."""
    from provision.hosts.audit_trail import read_audit  # noqa: PLC0415 - start-up time
    from provision.plan.staleness import has_moved_by_apply  # noqa: PLC0415

    if not has_moved_by_apply(saved, now):
        return
    host = looking.desired.bundles[now.host].host
    try:
        audit = read_audit(looking.connection.target_of(host), looking.connection)
    except ProvisionError as error:
        yield f"who moved it is not known: {error.message}"
        return
    since = [a for a in audit if a.when >= created or (a.generation or 0) > saved.generation]
    yield from (f"applied by {line.words()}" for line in (since or audit)[-_APPLIES_SHOWN:])
