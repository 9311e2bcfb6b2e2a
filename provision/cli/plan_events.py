"""A plan as events: who was asked, what would change, what drifted, what speaks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from provision.cli.events import Events
from provision.errors import ProvisionError
from provision.plan.change import Action, HostPlan, Origin, Plan
from provision.plan.show import objection_words
from provision.plan.state import Holder


def tell_plan(events: Events, plan: Plan, failures: Mapping[str, ProvisionError]) -> None:
    """Tell all of it, host by host."""
    if not events.are_wanted:
        return
    for name, error in failures.items():
        tell_unreached(events, name, error)
    for host in plan.hosts:
        tell_observed(events, host.host, host.generation)
        _tell_changes(events, host)


def tell_holder(events: Events, host: str, holder: Holder) -> None:
    """Tell that another apply is at work on a host."""
    events.tell("lock", f"{host}: {holder.words}", host=host, **holder.as_json())


def tell_observed(events: Events, host: str, generation: int) -> None:
    """Tell that a host has answered, and with which generation."""
    message = f"{host} has generation {generation}" if generation else f"{host} has no generation"
    events.tell("host_observed", message, host=host, reached=True, generation=generation)


def tell_unreached(events: Events, host: str, error: ProvisionError) -> None:
    """Tell that a host could not be asked, and why."""
    events.tell("host_observed", error.message, host=host, reached=False, generation=None)
    events.diagnose(error, host=host)


def _tell_changes(events: Events, host: HostPlan) -> None:
    tally = Counter(change.action for change in host.changes)
    counts = {action.value: tally[action] for action in Action}
    units = [action.as_json() for action in host.unit_actions]
    words = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    message = f"{host.host}: {words or 'nothing'} to do"
    events.tell("change_summary", message, host=host.host, **counts, unit_actions=units)
    for change in host.changes:
        if change.origin is Origin.DRIFT:
            what = {Action.CREATE: "missing", Action.DELETE: "foreign"}.get(
                change.action, "changed"
            )
            tell_drift(events, host.host, kind=change.kind.word, name=change.name, what=what)
    for objection in host.objections:
        message = f"{host.host}: {objection_words(objection)}"
        about = {**objection.as_json(), "message": message}
        events.tell("guard", host=host.host, **about)


def tell_drift(events: Events, host: str, *, kind: str, name: str, what: str) -> None:
    """Tell that an object on a host is not as an apply left it."""
    message = f"{host}: {kind} {name}: {what}"
    events.tell("drift", message, host=host, object=kind, name=name, what=what)
