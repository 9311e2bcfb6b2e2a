"""Look at the hosts for a command: by what is remembered where that is enough, else properly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.apply.inputs import Basis, Inputs
from provision.apply.known import known_requests, remember, still_empty
from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.plan.change import Plan

if TYPE_CHECKING:
    from provision.apply.survey import Survey
    from provision.cli.desired import Desired
    from provision.plan.state import Holder


class Looking:
    """One look at the hosts of a fleet. Spec and renderers are only started when needed."""

    def __init__(
        self, fleet_dir: Path, vault_password_file: Path | None, hosts: tuple[str, ...]
    ) -> None:
        self.fleet_dir = fleet_dir
        self._vault, self._hosts = vault_password_file, hosts
        self.connection = Connection.of_fleet(fleet_dir)
        self.connection.enter()
        self.before_survey: Callable[[], None] = lambda: None
        """Called when what is remembered is not enough."""
        self._read_from = Basis("", "")
        """The inputs before they were read: what is saved meanwhile is in no plan."""

    def plan(self, *, bound: bool = False) -> tuple[Plan, Mapping[str, ProvisionError]]:
        """The plan, and the hosts that could not be asked.

        ``bound``: with the digests of what it was made from, which costs rendering every time.
        """
        known = None
        if not bound:
            known = still_empty(self._inputs, self.fleet_dir, self.connection, self._hosts)
        plan, failures = known or (self.survey.plan, self.survey.failures)
        return replace(plan, partial=self._partial(failures)), failures

    def _partial(self, failures: Mapping[str, ProvisionError]) -> tuple[str, ...]:
        """Why the plan is not that of the whole fleet."""
        chosen = [f"only {', '.join(self._hosts)}, as asked"] if self._hosts else []
        return (*chosen, *(f"without {name}, which was not reached" for name in failures))

    @cached_property
    def desired(self) -> Desired:
        """The fleet and the bundles of the hosts that were asked for."""
        from provision.cli.desired import load_desired  # noqa: PLC0415 - start-up time

        self._read_from = self._inputs.look().basis()
        return load_desired(self.fleet_dir, vault_password_file=self._vault, hosts=self._hosts)

    @cached_property
    def survey(self) -> Survey:
        """What was found on the hosts."""
        self.before_survey()
        return self.again(tuple(self.desired.bundles))

    def again(self, hosts: tuple[str, ...]) -> Survey:
        """Look at these hosts now, and remember the empty plans."""
        from provision.apply.survey import survey  # noqa: PLC0415 - start-up time

        bundles = {name: self.desired.bundles[name] for name in hosts}
        found = survey(bundles, self.connection, known_requests(self.fleet_dir))
        _tell_of_holders(found)
        whole = len(found.empty) == len(self.desired.fleet.hosts)
        if found.empty:
            remember(self._read_from, self.fleet_dir, found.empty, complete=whole)
        return found

    def holders(self) -> dict[str, Holder]:
        """Who is applying at this moment, by host; what is known to be unchanged has no one."""
        found: Survey | None = self.__dict__.get("survey")
        states = found.states if found else {}
        return {name: state.holder for name, state in states.items() if state.holder}

    @property
    def _inputs(self) -> Inputs:
        return Inputs(self.fleet_dir, self.connection, self._vault)


def _tell_of_holders(found: Survey) -> None:
    for name, state in found.states.items():
        for held in (state.holder, state.hold):
            if held is not None:
                click.echo(f"Note: {name}: {held.words}", err=True)
