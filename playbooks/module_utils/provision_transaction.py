"""One apply on this host, as a list of named steps: all of it, or the old generation again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .provision_account_store import Layout as AccountLayout
from .provision_account_store import digest, read
from .provision_account_tables import MAPS
from .provision_accounts import apply_delta, compile_all
from .provision_audit import audit
from .provision_check import check_staged
from .provision_commands import run
from .provision_durable import ensure_directory, remove, write_json
from .provision_generation import (
    Refused,
    current_manifest,
    needs_generation,
    next_number,
    refuse_if_stale,
    stage,
)
from .provision_journal import recover, roll_back, switch
from .provision_layout import Layout
from .provision_lock import alone
from .provision_packages import free_daemons
from .provision_records import describe, outcome_of, prune, record_result
from .provision_recover import end_interrupted
from .provision_replaced import edited_accounts, edited_files, keep
from .provision_request import Request, read_request
from .provision_serving import problems, require_service
from .provision_take_back import undo
from .provision_unconfirmed import disarm, read_unconfirmed, start_watch, wait_for_confirmation
from .provision_units import Failure, activate, ensure_enabled, in_order


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
        refuse_if_stale(self.layout, self.request, recovered=self.result["recovered"])
        self.refuse_if_accounts_moved()
        self.run()

    def run(self) -> None:
        """Do it; raises Refused while nothing has changed, and ends whole in every other case."""
        if needs_generation(self.layout, self.request):
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
        """What needs the new configuration to stay: the accounts. Then nothing is pending."""
        with self.step("accounts"):
            self._apply_accounts()
        remove(self.layout.pending)
        self.result["generation"] = self.number
        prune(self.layout)

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
        """A configuration names maps that a bare host, or one of an older version, has not got."""
        folder = Path(self.accounts.postfix)
        if all((folder / f"{name}.cdb").exists() for name in MAPS):
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
        if delta["sites"] or delta["removed"] or delta["mend"]:
            self._keep(edited_accounts(self.accounts))
        if delta["sites"] or delta["removed"]:
            self.result["accounts"] = apply_delta(self.accounts, delta)
        elif delta["mend"]:
            compiler = delta.get("compiler", "")
            self.result["accounts"] = compile_all(self.accounts, compiler=compiler)

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
                run("systemctl", "daemon-reload")

    def _activate(self) -> None:
        actions = self.request.unit_actions
        try:
            with self.step("activate"):
                ensure_enabled(self.request.units)
                self.result["units"] = [list(done) for done in activate(actions)]
            if self.number != self.previous:
                with self.step("prove"):
                    require_service(self.request.units, self.accounts, self.served)
        except Failure as failure:
            self.result["message"], self.result["lines"] = str(failure), failure.lines
            self._go_back(actions)

    def _go_back(self, actions: list[list[str]]) -> None:
        """Put the previous generation back and make the units read it."""
        if self.number == self.previous or read_unconfirmed(self.layout):
            raise Failure(self.result["message"], self.result["lines"])
        with self.step("roll back"):
            roll_back(self.layout, self.number, self.previous)
            run("systemctl", "daemon-reload")
            if self.previous:
                _activate_back(actions)
            else:
                run("systemctl", "stop", "--", *[unit for unit, _verb in actions])
        remove(self.layout.pending)
        raise RolledBack(self.result["message"])


class RolledBack(Exception):
    """The apply failed, and the host is back on its old generation."""


def _activate_back(actions: list[list[str]]) -> None:
    """Make units read the old files; a restart helps those that a reload does not bring back.

    Postfix's master(8) leaves a service alone for a minute when its processes have died.
    """
    for unit, verb in in_order(actions):
        try:
            activate([[unit, _verb_back(verb)]])
        except Failure:
            activate([[unit, "restart"]])


def _verb_back(verb: str) -> str:
    return "restart" if verb == "restart" else "reload"


def apply_request(layout: Layout, archive: Path) -> dict[str, Any]:
    """Carry out the request in ``archive``; the result says what came of it, in every case."""
    free_daemons()  # packages are there; from here on units are started on purpose
    request = read_request(archive)
    return carry_out(layout, request.meta["holder"], lambda: request)


def carry_out(layout: Layout, holder: dict[str, str], ask: Callable[[], Request]) -> dict[str, Any]:
    """Carry out what ``ask`` returns, under the host's lock; ``ask`` may raise Refused."""
    layout.prepare()
    try:
        with alone(layout, holder):
            recovered = end_interrupted(layout)
            request = ask()
            transaction = Transaction(layout, request)
            transaction.result["recovered"] = recovered
            result = end(transaction, transaction.begin)
            remember(transaction)
            audit(layout, request.meta, result)
    except Refused as refusal:
        return {"outcome": "refused", "message": str(refusal), "lines": [], "steps": []}
    return result


def remember(transaction: Transaction) -> None:
    """Write what came of the new generation, or of the current one that was never proved."""
    layout, number = transaction.layout, transaction.number
    is_new = number != transaction.previous
    is_proved = transaction.result["outcome"] == "applied" and not outcome_of(layout, number)
    if is_new or is_proved:
        with suppress(OSError):  # a full disk must not hide what came of the apply
            record_result(layout, number, transaction.result)


def end(transaction: Transaction, work: Callable[[], None]) -> dict[str, Any]:
    """Do ``work`` and note in the result how it ended, whatever comes."""
    result, layout = transaction.result, transaction.layout
    try:
        work()
    except Refused as refusal:
        result.update(outcome="refused", message=str(refusal))
    except RolledBack as failure:
        result.update(outcome="rolled_back", message=str(failure))
    except Failure as failure:
        result.update(outcome="needs_person", message=str(failure), lines=failure.lines)
    except (OSError, ValueError, KeyError) as error:
        recover(layout)
        result.update(outcome="failed", message=f"{type(error).__name__}: {error}")
    if state := read_unconfirmed(layout):
        _end_unproved(transaction, state)
    return result


def _end_unproved(transaction: Transaction, state: dict[str, Any]) -> None:
    """A change of access that failed before its proof: the access comes back first."""
    result = transaction.result
    if result["outcome"] == "unconfirmed":
        return
    failures = undo(transaction.layout, state)
    result["lines"] = [*result["lines"], *failures]
    result["outcome"] = "needs_person" if failures else "rolled_back"
    disarm(transaction.layout)
