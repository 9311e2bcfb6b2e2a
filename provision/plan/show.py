"""A plan for people: grouped by host, a line per object, diffs below it, counts at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provision.plan.change import Action, Change, HostPlan, Kind, Origin, Plan, UnitAction
from provision.plan.objection import Objection

_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-", Action.RENAME: "~"}
_DRIFT = {
    Action.CREATE: "gone from the host",
    Action.UPDATE: "changed on the host",
    Action.DELETE: "changed on the host",
}
_STYLES = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.DELETE: "red",
    Action.RENAME: "yellow",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text and how a terminal may colour it (rich's style words)."""

    text: str
    style: str = ""


def show_plan(plan: Plan, *, full: bool = False) -> Iterator[Line]:
    """The plan, line by line. ``full`` shows the contents of new files as well."""
    for host in plan.hosts:
        if not host.is_empty:
            yield from _show_host(host, full=full)
    for reason in plan.partial:
        yield Line(f"This plan is partial: {reason}.", "yellow")
    if drift := drift_words(plan):
        yield Line(drift, "yellow")
    yield Line(summary(plan), "bold")


def summary(plan: Plan) -> str:
    """One line: what the plan comes to."""
    if not plan.hosts:
        return "No host could be looked at."
    if plan.is_empty:
        names = [host.host for host in plan.hosts]
        return f"No changes. {', '.join(names)} {_is(len(names))} as the spec asks."
    counts = plan.counts()
    shown = [action for action in Action if counts[action] or action is not Action.RENAME]
    numbers = ", ".join(f"{counts[action]} to {action.value}" for action in shown)
    units = sum(len(host.unit_actions) for host in plan.hosts)
    hosts = sum(not host.is_empty for host in plan.hosts)
    return f"Plan: {numbers} on {hosts} host{'s' * (hosts != 1)}; {_count(units, 'unit')} to move."


def drift_words(plan: Plan) -> str:
    """How much of the plan puts back what was changed on hosts; empty when nothing does."""
    drifted = sum(_is_edited(change) for host in plan.hosts for change in host.changes)
    return f"Drift: this undoes {_count(drifted, 'edit')} made on hosts." * (drifted > 0)


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _show_host(host: HostPlan, *, full: bool) -> Iterator[Line]:
    yield Line(f"{host.host} (generation {host.generation or 'none'})", "bold")
    for change in host.changes:
        yield Line(f"  {seen(change_words(change))}", _STYLES[change.action])
        if change.diff and (full or change.action is Action.UPDATE):
            yield from diff_lines(change.diff)
    for action in host.unit_actions:
        yield Line(f"  > {action_words(action)}", "cyan")
    if not host.unit_actions:
        yield Line("  > nothing is reloaded or restarted", "cyan")
    if host.access:
        yield Line(f"  ! {seen(access_words(host))}", "yellow")
    for objection in host.objections:
        yield Line(f"  ! {seen(objection_words(objection))}", "red")
    yield Line("")


def change_words(change: Change) -> str:
    """One change on one line: ``+ mailbox nora@acme.example: create (quota 2G)``."""
    drift = f", {_DRIFT[change.action]}" if _is_edited(change) else ""
    words = "; ".join(text for text in (change.detail, change.note) if text)
    detail = f" ({words}{drift})" if words or drift else ""
    detail = detail.replace("(, ", "(")
    return f"{_SIGNS[change.action]} {change.kind.word} {change.name}: {change.action}{detail}"


def action_words(action: UnitAction) -> str:
    """What a unit will do and why: ``reload postfix.service: /etc/postfix/main.cf``."""
    return f"{action.verb} {action.unit}: {_shortened(action.why)}"


def access_words(host: HostPlan) -> str:
    """What touches access, and what is done about the danger."""
    what = _shortened(host.access)
    return f"touches access ({what}): goes back by itself unless confirmed over a new connection"


def objection_words(objection: Objection) -> str:
    """One objection on one line, with what lets it pass."""
    way = f"apply needs {objection.flag}" if objection.flag else "apply refuses it"
    return f"{objection.message}; {way}"


def seen(text: str) -> str:
    """Text on one line with what cannot be seen written out: a host's files may hold anything.

    So no terminal obeys an escape sequence, and no right-to-left mark turns a line around.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else f"\\u{{{ord(c):x}}}" for c in text)


def _is_edited(change: Change) -> bool:
    """True when somebody else than an apply touched it; other drift says so in its detail."""
    return change.origin is Origin.DRIFT and change.kind in {Kind.FILE, Kind.DIRECTORY}


def _shortened(reasons: tuple[str, ...], most: int = 3) -> str:
    shown = ", ".join(reasons[:most])
    rest = len(reasons) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def diff_lines(diff: str) -> Iterator[Line]:
    """A unified diff, indented below its object and coloured."""
    for line in diff.splitlines():
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim")
        yield Line(f"      {seen(line)}", style)
