"""One apply on this host, as a list of named steps: all of it, or the old generation again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .provision_account_intent import forget, note
from .provision_account_store import Layout as AccountLayout
from .provision_account_store import digest, read
from .provision_account_tables import MAPS
from .provision_accounts import apply_delta, compile_all
from .provision_check import check_staged
from .provision_clock import refuse_if_clocks_differ
from .provision_commands import run
from .provision_durable import ensure_directory, remove, write_json
from .provision_failure import words_of
from .provision_generation import (
    Refused,
    current_manifest,
    needs_generation,
    next_number,
    refuse_if_stale,
    stage,
)
from .provision_journal import commit, recover, roll_back, stopped_by, switch
from .provision_layout import Layout
from .provision_leaving import drop_packages, drop_users
from .provision_packages import UNITS, free_units
from .provision_records import describe, prune
from .provision_replaced import edited_accounts, edited_files, keep
from .provision_request import Request
from .provision_resolver import READS, renew_resolver
from .provision_room import refuse_without_room
from .provision_serving import problems, require_service
from .provision_steps import Steps
from .provision_unconfirmed import read_unconfirmed, start_watch, wait_for_confirmation
from .provision_units import Failure, activate, ensure_enabled, in_order, reread_units, stop


class Transaction:
    """One request on one host. ``result`` grows with every step and is what the controller gets."""

    def __init__(self, layout: Layout, request: Request) -> None:
        self.layout, self.request = layout, request
        self.accounts = AccountLayout(root=str(layout.root))
        self.previous = current_manifest(layout)["generation"]
        self.number = self.previous
        self.served: dict[str, str] = {}
        self.result: dict[str, Any] = {"outcome": "applied", "message": "", "lines": []}
        self.result.update(steps=[], replaced=[], staged=False)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step and name it in the result, also when it fails."""
        started = time.monotonic()
        try:
            yield
        finally:
            took = round(time.monotonic() - started, 2)
            self.result["steps"].append({"name": name, "seconds": took})

    def refuse_if_accounts_moved(self) -> None:
        """Raise Refused when a site's accounts are not those that the plan was made from."""
        for site, wanted in self.request.accounts["expected"].items():
            content = read(self.accounts.document(site))
            if (None if content is None else digest(content)) != wanted:
                raise Refused(f"the plan is stale: the accounts of {site} have changed")

    def begin(self) -> None:
        """Hold what the plan was made from against the host, then do it."""
        refuse_if_clocks_differ(self.request.meta["holder"]["since"])
        refuse_if_stale(self.layout, self.request, recovered=self.result["recovered"])
        self.refuse_if_accounts_moved()
        self.run()

    def run(self) -> None:
        """Do it; raises Refused while nothing has changed, and ends whole in every other case."""
        stages = needs_generation(self.layout, self.request)
        refuse_without_room(self.layout, self.request, stages=stages)
        if stages:
            self._stage_and_check()
        if self.request.confirm_seconds:
            with self.step("watch"):
                start_watch(self.layout, self.number, self.request)
        if self.number != self.previous:
            self._switch()
        self._activate()
        if self.request.confirm_seconds:
            self.result.update(outcome="unconfirmed", generation=self.number)
            wait_for_confirmation(self.layout, self.result)
        else:
            self.finish()

    def finish(self) -> None:
        """Keep the new configuration, and do what needs it to stay: the accounts."""
        self._commit()
        if free_units(self.layout.live(str(UNITS))):
            reread_units()
        with self.step("accounts"):
            self._apply_accounts()
            forget(self.accounts)
        remove(self.layout.pending)
        self._drop_what_left()
        self.result["generation"] = self.number
        prune(self.layout)

    def _drop_what_left(self) -> None:
        """Last of all: what is proved no longer needs them, and they cannot be put back at once."""
        leaving = {"packages": [], "users": [], **self.request.leaving}
        if leaving["packages"] or leaving["users"]:
            with self.step("remove what left"):
                self.result["lines"] += drop_packages(self.layout, leaving["packages"])
                self.result["lines"] += drop_users(self.layout, leaving["users"])

    def _stage_and_check(self) -> None:
        self.number = next_number(self.layout)
        self.result["staged"] = True
        with self.step("stage"):
            stage(self.layout, self.number, self.request)
            describe(self.layout, self.number, self.request)
            self._prepare_maps()
        with self.step("check"):
            problems = check_staged(self.layout, self.number, self.request)
        if problems:
            self.result["lines"] = problems
            raise Refused("the new configuration is broken; nothing was changed")

    def _prepare_maps(self) -> None:
        """A configuration is checked with account files that a bare host has not got.

        Nor has one of an older version, and those that are damaged would have it refused: they are
        made again from what the host itself holds.
        """
        folder = Path(self.accounts.postfix)
        are_there = all((folder / f"{name}.cdb").exists() for name in MAPS)
        if are_there and not self.request.accounts["mend"]:
            return
        for directory in self.request.directories:
            ensure_directory(self.layout.live(directory.path), directory.attributes)
        self._keep(edited_accounts(self.accounts))
        if self.previous:
            compile_all(self.accounts, compiler=self.request.accounts.get("compiler", ""))
        else:
            self._apply_accounts()

    def _apply_accounts(self) -> None:
        delta = self.request.accounts
        if delta["mend"]:
            self._keep(edited_accounts(self.accounts))
        elif delta["sites"] or delta["removed"]:
            self._keep(edited_accounts(self.accounts, [*delta["sites"], *delta["removed"]]))
        if delta["sites"] or delta["removed"]:
            self.result["accounts"] = apply_delta(self.accounts, delta)
        elif delta["mend"]:
            compiler = delta.get("compiler", "")
            self.result["accounts"] = compile_all(self.accounts, compiler=compiler)
        done = self.result.get("accounts", {})
        self.result["lines"] += done.get("said", [])
        changed = any(path.endswith(READS) for path in done.get("written", []))
        if changed and not renew_resolver():
            self.result["lines"].append("Postfix is busy: it may take seconds to see new domains")

    def _keep(self, paths: list[str]) -> None:
        self.result["replaced"] += keep(self.layout, self.number, paths)

    def _switch(self) -> None:
        if self.previous:
            self.served = problems(self.request.units, self.accounts)
        with self.step("switch"):
            self._keep(edited_files(self.layout, self.request))
            write_json(self.layout.pending, self.request.unit_actions)
            changed = switch(self.layout, self.number, self.request)
            if any(path.startswith("/etc/systemd/") for path in changed):
                reread_units()

    def _activate(self) -> None:
        actions = self.request.unit_actions
        try:
            with self.step("activate"):
                ensure_enabled(self.request.units)
                done = activate(actions, ailing=self._ailing)
                self.result["units"] = [[one.unit, one.verb, one.seconds] for one in done]
                self.result["lines"] += [
                    f"{one.unit} did not serve before, and still does not: {one.still}"
                    for one in done
                    if one.still
                ]
            if self.number != self.previous:
                with self.step("prove"):
                    require_service(self.request.units, self.accounts, self.served)
        except Failure as failure:
            self.result["message"], self.result["lines"] = str(failure), failure.lines
            self._go_back(actions)
        except (OSError, ValueError, KeyError) as error:
            if self.number == self.previous:
                raise
            self.result["message"] = words_of(error)  # some units may have read the new files
            self._go_back(actions)

    def _arrived(self) -> list[str]:
        """Units that this apply has started and that the generation before it had not."""
        known = current_manifest(self.layout)["units"]
        started = [unit for unit, verb in self.request.unit_actions if verb == "start"]
        return [unit for unit in started if unit not in known]

    @property
    def _ailing(self) -> set[str]:
        """Units that did not serve before this apply."""
        return {unit for unit, problem in self.served.items() if problem}

    def _commit(self) -> None:
        """Keep the new generation; its accounts are written down, so that they will follow."""
        try:
            note(self.accounts, self.request.accounts)
        except OSError as error:
            if self.number == self.previous:
                raise
            self.result["message"] = words_of(error)
            self._go_back(self.request.unit_actions)
        commit(self.layout)

    def _go_back(self, actions: list[list[str]]) -> None:
        """Put the previous generation back and make the units read it."""
        if self.number == self.previous or read_unconfirmed(self.layout):
            raise Failure(self.result["message"], self.result["lines"])
        with self.step("roll back"):
            stopped = stopped_by(self.layout, self.number)
            roll_back(self.layout, self.number, self.previous)
            reread_units()
            if self.previous:
                arrived = self._arrived()
                stop(arrived)
                back = [action for action in actions if action[0] not in arrived]
                _activate_back(back, [unit for unit, *_ in stopped], self._ailing)
            else:
                Steps.before("stop what had no configuration before")
                run("systemctl", "stop", "--", *[unit for unit, _verb in actions])
        remove(self.layout.pending)
        raise RolledBack(self.result["message"])

    def end_whole(self, error: Exception) -> None:
        """After an error that nobody foresaw: the old files again, and what a person must know."""
        words = words_of(error)
        try:
            undone = recover(self.layout)
        except OSError as second:
            words = f"{words}. The old files are not all back: {words_of(second)}"
            self.result.update(outcome="needs_person", message=words)
            return
        is_kept = current_manifest(self.layout)["generation"] == self.number != self.previous
        if is_kept:
            words += ". The new configuration is in place, the accounts wait for the next apply"
        self.result.update(outcome="rolled_back" if undone else "failed", message=words)


class RolledBack(Exception):
    """The apply failed, and the host is back on its old generation."""


def _activate_back(actions: list[list[str]], stopped: list[str], ailing: set[str]) -> None:
    """Make every unit read the old files, and raise the Failure of the first that does not.

    A restart helps those that a reload does not bring back: Postfix's master(8) leaves a service
    alone for a minute when its processes have died.
    """
    failures = []
    for unit, verb in [*in_order(actions), *([unit, "start"] for unit in stopped)]:
        try:
            _activate_one_back(unit, verb, ailing)
        except Failure as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


def _activate_one_back(unit: str, verb: str, ailing: set[str]) -> None:
    back = verb if verb == "restart" else "reload"
    try:
        activate([[unit, back]], heed=False, ailing=ailing)
    except Failure:
        activate([[unit, "restart"]], heed=False, ailing=ailing)
