"""What happens while hosts are applied to, as events: batches, tasks, steps, outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from provision.cli.events import Events

if TYPE_CHECKING:  # where nothing is applied, what drives Ansible is not loaded
    from provision.hosts.playbook import Event

STEPS = {"roll back": "rollback", "remove what left": "removal"}
"""Steps of the module on the host whose event has another name."""
_TASKS = {"task_start": "started", "task_ok": "done", "task_failed": "failed"}


def telling(events: Events, show: Callable[[Event], None]) -> Callable[[Event], None]:
    """Show an event to people and tell it."""

    def take(event: Event) -> None:
        show(event)
        if events.are_wanted:
            _tell(events, event)

    return take


def _tell(events: Events, event: Event) -> None:
    kind, host = event["type"], event.get("host")
    if kind in _TASKS:
        message = f"{host}: {str(event['task']).lower()}: {_TASKS[kind]}"
        events.tell("task", message, host=host, task=event["task"], state=_TASKS[kind])
    elif kind == "batch":
        events.tell("batch", _batch_words(event), **_values(event))
    elif kind == "interrupted":
        words = "aborted" if event["count"] > 1 else "interrupted: no further host is started"
        events.tell("interrupted", words, **_values(event))
    elif kind == "host_result":
        tell_result(events, {k: v for k, v in event.items() if k not in {"type", "ts"}})
    elif kind == "settling":
        events.tell("confirm", event["message"], host=host)
    for step in event.get("steps", ()):
        name, seconds = step["name"], step["seconds"]
        message = f"{host}: {name} took {seconds:.1f} s"
        events.tell(STEPS.get(name, name), message, host=host, seconds=seconds)


def tell_result(events: Events, outcome: Mapping[str, Any]) -> None:
    """Tell how a host ended; ``outcome`` is that of ``HostOutcome.as_json``."""
    host, said = outcome["host"], outcome["message"]
    message = f"{host}: {outcome['outcome']}{f': {said}' if said else ''}"
    about = {key: value for key, value in outcome.items() if key not in {"host", "message"}}
    events.tell("host_result", message, host=host, reason=said, **about)


def _batch_words(event: Event) -> str:
    alone = ", the canary" if event["canary"] else ""
    return f"batch {event['number']} of {event['of']}{alone}: {', '.join(event['hosts'])}"


def _values(event: Event) -> dict[str, Any]:
    return {k: v for k, v in event.items() if k not in {"type", "ts", "host", "message"}}
