"""The one comparison: desired minus actual is the plan of a host."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model.bundle import Bundle, SystemUser, Verb
from provision.plan.access import access_of
from provision.plan.accounts import diff_removed_site, diff_site
from provision.plan.change import (
    Action,
    Basis,
    Change,
    HostPlan,
    Kind,
    Origin,
    UnitAction,
    sorted_changes,
)
from provision.plan.files import diff_files
from provision.plan.guard import objections
from provision.plan.kept import KeptMail
from provision.plan.state import HostState


def diff_host(desired: Bundle, actual: HostState) -> HostPlan:
    """What must change on a host, and what its units must do; pure."""
    changes = sorted_changes(
        [
            *_repairs(actual),
            *_packages(desired, actual),
            *_users(desired, actual),
            *_directories(desired, actual),
            *diff_files(desired, actual),
            *_units(desired, actual),
            *_accounts(desired, actual),
        ]
    )
    actions = tuple(sorted(_unit_actions(desired, actual, changes)))
    return HostPlan(
        host=desired.host.name,
        generation=actual.generation,
        changes=changes,
        unit_actions=actions,
        access=access_of(changes, actions, desired.users),
        objections=objections(desired, actual, changes),
        basis=Basis(desired.digest(), actual.manifest_digest(), actual.observed_digest()),
    )


def _repairs(actual: HostState) -> Iterator[Change]:
    if actual.dpkg_interrupted:
        words = "a package run was interrupted: finish it"
        yield Change(Kind.REPAIR, "packages", Action.UPDATE, words, origin=Origin.DRIFT)
    if actual.switch_interrupted:
        words = "a switch was interrupted or never confirmed: undo it first"
        yield Change(Kind.REPAIR, "generation", Action.UPDATE, words, origin=Origin.DRIFT)


def _packages(desired: Bundle, actual: HostState) -> Iterator[Change]:
    origin = Origin.DRIFT if actual.generation else Origin.INTENT
    for name in desired.packages:
        if name not in actual.packages:
            yield Change(Kind.PACKAGE, name, Action.CREATE, origin=origin)


def _users(desired: Bundle, actual: HostState) -> Iterator[Change]:
    for user in desired.users:
        state = actual.users.get(user.name)
        if state is None:
            yield Change(Kind.USER, user.name, Action.CREATE, f"home {user.home}")
        elif words := _user_differences(user, state.home, set(state.groups)):
            yield Change(Kind.USER, user.name, Action.UPDATE, "; ".join(words))


def _user_differences(user: SystemUser, home: str, groups: set[str]) -> list[str]:
    words = [f"home {home} -> {user.home}"] if home != user.home else []
    missing = sorted(set(user.supplementary_groups) - groups)
    return words + ([f"join {', '.join(missing)}"] if missing else [])


def _directories(desired: Bundle, actual: HostState) -> Iterator[Change]:
    for directory in desired.directories:
        state = actual.directories.get(directory.path)
        if state is None:
            detail = f"mode {directory.mode:04o}, {directory.owner}:{directory.group}"
            yield Change(Kind.DIRECTORY, directory.path, Action.CREATE, detail)
            continue
        have = (state.mode, state.owner, state.group)
        want = (directory.mode, directory.owner, directory.group)
        if have != want:
            detail = f"{have[0]:04o} {have[1]}:{have[2]} -> {want[0]:04o} {want[1]}:{want[2]}"
            yield Change(Kind.DIRECTORY, directory.path, Action.UPDATE, detail, origin=Origin.DRIFT)


def _units(desired: Bundle, actual: HostState) -> Iterator[Change]:
    origin = Origin.DRIFT if actual.generation else Origin.INTENT
    for unit in desired.units:
        state = actual.units.get(unit.name)
        if state is None or state.load == "not-found":
            yield Change(Kind.UNIT, unit.name, Action.CREATE, "enable, start", origin=origin)
            continue
        words = [] if state.is_enabled else ["enable"]
        words += [] if state.is_running else [f"start (is {state.active})"]
        if words:
            yield Change(Kind.UNIT, unit.name, Action.UPDATE, ", ".join(words), origin=origin)


def _accounts(desired: Bundle, actual: HostState) -> Iterator[Change]:
    for path in actual.account_damage:
        yield Change(Kind.ACCOUNTS, path, Action.UPDATE, "compile again", origin=Origin.DRIFT)
    kept = KeptMail(actual.mail, actual.archived, desired.keep_removed)
    for site in desired.accounts:
        if actual.account_digests.get(site.site) != site.digest():
            yield from diff_site(site, actual.accounts.get(site.site), kept=kept)
    wanted = {site.site for site in desired.accounts}
    for name in sorted(set(actual.accounts) - wanted):
        yield from diff_removed_site(name, actual.accounts[name], kept=kept)


def _unit_actions(
    desired: Bundle, actual: HostState, changes: tuple[Change, ...]
) -> Iterator[UnitAction]:
    reasons = _reasons(desired, actual, changes)
    for unit in desired.units:
        state = actual.units.get(unit.name)
        wanted = reasons.pop(unit.name, {})
        if state is None or not state.is_running:
            yield UnitAction(unit.name, "start", ("not running",))
        elif verb := max(wanted.values(), default=Verb.NONE):
            yield UnitAction(unit.name, verb.name.lower(), tuple(sorted(wanted)))
    for name, wanted in reasons.items():
        if verb := max(wanted.values(), default=Verb.NONE):
            yield UnitAction(name, verb.name.lower(), tuple(sorted(wanted)))


def _reasons(
    desired: Bundle, actual: HostState, changes: tuple[Change, ...]
) -> dict[str, dict[str, Verb]]:
    """Unit to what it reads that changes, each with the verb that it asks for."""
    reasons: dict[str, dict[str, Verb]] = {}

    def note(unit: str, why: str, verb: Verb) -> None:
        entry = reasons.setdefault(unit, {})
        entry[why] = max(verb, entry.get(why, Verb.NONE))

    files = {file.path: file.activations for file in desired.files}
    for change in changes:
        if change.kind is Kind.FILE:
            recorded = actual.recorded.get(change.name)
            for activation in files.get(change.name) or (recorded.activations if recorded else ()):
                note(activation.unit, change.name, activation.verb)
        if change.kind is Kind.PACKAGE:
            for unit in desired.units:
                if change.name.split("-")[0] == unit.name.split("-")[0].removesuffix(".service"):
                    note(unit.name, f"package {change.name}", Verb.RELOAD)
    for activation in actual.pending:
        note(activation.unit, "left over by an interrupted apply", activation.verb)
    return reasons
