"""The part of a plan that concerns one site: for reading, as a host is applied as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from provision.plan.change import Change, HostPlan, Kind, Plan, UnitAction


def sites_of(plan: Plan) -> set[str]:
    """The sites that the plan changes."""
    return {c.name for host in plan.hosts for c in host.of_kind(Kind.SITE)} | {
        c.name.rpartition("@")[2]
        for host in plan.hosts
        for c in host.of_kind(Kind.MAILBOX, Kind.ALIAS)
    }


def only_site(plan: Plan, site: str, *, known: Iterable[str]) -> Plan:
    """The plan with the accounts and files of ``site`` alone; it says that it is partial.

    A file belongs to the longest of the ``known`` sites that its path names.
    """
    names = set(known)
    hosts = tuple(_only(host, site, names) for host in plan.hosts)
    shown = tuple(host for host in hosts if not host.is_empty) or hosts[:1]
    return Plan(shown, (*plan.partial, f"only what concerns {site}; an apply does all of a host"))


def _only(host: HostPlan, site: str, known: set[str]) -> HostPlan:
    changes = tuple(change for change in host.changes if _site_of(change, known) == site)
    paths = {change.name for change in changes}
    actions = tuple(
        UnitAction(action.unit, action.verb, why)
        for action in host.unit_actions
        if (why := tuple(reason for reason in action.why if reason in paths))
    )
    objections = tuple(
        objection
        for objection in host.objections
        if objection.scope.rpartition("@")[2] in {site, host.host}
    )
    return replace(host, changes=changes, unit_actions=actions, objections=objections)


def _site_of(change: Change, known: set[str]) -> str | None:
    match change.kind:
        case Kind.SITE:
            return change.name
        case Kind.MAILBOX | Kind.ALIAS:
            return change.name.rpartition("@")[2]
        case Kind.FILE | Kind.DIRECTORY | Kind.ACCOUNTS:
            return max((name for name in known if name in change.name), key=len, default=None)
        case _:
            return None
