"""Ansible's output for a program: one JSON object a line, to an inherited file descriptor.

It replaces the screen output, so that nothing of Ansible reaches a person unread.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: provision_events
type: stdout
short_description: Events as NDJSON on a file descriptor
description: Writes one JSON object a line to the descriptor named in $PROVISION_EVENT_FD.
"""

_KEPT = (
    *("outcome", "message", "lines", "steps", "units", "generation"),
    *("accounts", "recovered", "replaced"),
)


class CallbackModule(CallbackBase):
    """Tasks as they start on a host and how they ended there."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "provision_events"

    def __init__(self) -> None:
        super().__init__()
        self._events = os.fdopen(int(os.environ["PROVISION_EVENT_FD"]), "w", buffering=1)

    def _write(self, kind: str, **values: Any) -> None:
        event = {"type": kind, "ts": round(time.time(), 3), **values}
        self._events.write(json.dumps(event, default=str) + "\n")

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """The play begins."""
        del playbook
        self._write("play_start")

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """A task begins on a host."""
        about = {"host": host.get_name(), "task": task.get_name(), "module": task.action}
        self._write("task_start", **about)

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task ended well on a host."""
        self._end("task_ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: FBT001,FBT002
        """A task failed on a host."""
        self._end("task_ignored" if ignore_errors else "task_failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host was lost."""
        self._end("unreachable", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """A task was not needed on a host."""
        self._end("task_skipped", result)

    def _end(self, kind: str, result: Any) -> None:
        values = result.result
        kept = {key: values[key] for key in _KEPT if key in values}
        if kind in {"task_failed", "unreachable"}:
            kept["msg"] = str(values.get("msg", ""))
            kept["stderr"] = str(values.get("stderr", ""))[-4000:]
        self._write(
            kind,
            host=result.host.get_name(),
            task=result.task.get_name(),
            changed=bool(values.get("changed")),
            **kept,
        )
