"""Live progress of an apply: a line per host with a clock on a terminal, else a line per task.

Where there is no terminal, what takes long says so again from time to time, so that the log of a
pipeline never looks stuck.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from provision.cli.printing import tell
from provision.hosts.playbook import Event

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


STILL_SECONDS = 15.0
"""How often a task that goes on is named again where there is no terminal."""
_STOPPING = "No further host is started; those at work finish first. Ctrl-C again to abort."
_ENDED = "Every host has ended; what came of it is told in a moment."


class Progress:
    """Follows events; use it as a context manager around the run."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = hosts
        self._started = time.monotonic()
        self._bars: Bars | None = None
        self._rows: dict[str, TaskID] = {}
        self._running: dict[str, str] = {}
        self._over = threading.Event()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._draw()
        else:
            threading.Thread(target=self._say_what_goes_on, daemon=True).start()
        return self

    def _draw(self) -> None:
        self._bars = bars = _bars()
        try:
            bars.start()
            for host in self._hosts:
                self._rows[host] = bars.add_task(f"{host}: waiting", total=None, start=False)
        except OSError:  # the terminal is just being closed
            self._bars = None
            with suppress(OSError):
                bars.stop()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._bars is not None:
            with suppress(OSError):
                self._bars.stop()

    def take(self, event: Event) -> None:
        """Show one event. Where it cannot be shown the run goes on: hosts are at work."""
        with suppress(OSError):
            self._show(event)

    def _show(self, event: Event) -> None:
        host = event.get("host", "")
        if event["type"] == "batch":
            self._begin(event)
        elif event["type"] == "task_start":
            words = self._running[host] = str(event["task"]).lower()
            if self._bars is not None:
                self._bars.update(self._rows[host], description=f"{host}: {words}")
        elif event["type"] == "task_ok":
            self._running.pop(host, None)
            self._note(f"{host}: {str(event['task']).lower()}: done")
        elif event["type"] == "interrupted":
            running = "Aborting." if event["count"] > 1 else _STOPPING
            tell(_ENDED if self._over.is_set() else running)
        elif event["type"] == "settling":
            self._note(f"{host}: {event['message']}")
        for step in event.get("steps", ()):
            self._note(f"{host}:   {step['name']} took {step['seconds']:.1f} s")

    def _begin(self, batch: Event) -> None:
        hosts = batch["hosts"]
        words = f"starting Ansible for {', '.join(hosts)}"
        if batch["of"] > 1:
            alone = ", the canary" if batch["canary"] else ""
            words += f" (batch {batch['number']} of {batch['of']}{alone})"
        self._note(words)
        for host in hosts:
            if self._bars is not None:
                self._bars.start_task(self._rows[host])
                self._bars.update(self._rows[host], description=f"{host}: starting Ansible")

    def _say_what_goes_on(self) -> None:
        while not self._over.wait(STILL_SECONDS):
            for host, words in sorted(self._running.copy().items()):
                self._note(f"{host}: {words} ...")

    def _note(self, words: str) -> None:
        line = f"{time.monotonic() - self._started:6.1f} s  {words}"
        if self._bars is not None:
            self._bars.console.print(line, style="dim", highlight=False)
        else:
            tell(line)


def _bars() -> Bars:
    from rich.console import Console  # noqa: PLC0415 - only where a terminal is
    from rich.progress import Progress as Bars  # noqa: PLC0415
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Bars(*columns, console=Console(stderr=True), transient=True)
