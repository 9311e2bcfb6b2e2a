"""Live progress of an apply: a line per host with a clock on a terminal, else a line per task."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from provision.hosts.playbook import Event

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Progress:
    """Follows events; use it as a context manager around the run."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = hosts
        self._started = time.monotonic()
        self._bars: Bars | None = None
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bars = _bars()
            self._bars.start()
            self._rows = {
                host: self._bars.add_task(f"{host}: starting Ansible", total=None)
                for host in self._hosts
            }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def take(self, event: Event) -> None:
        """Show one event."""
        host = event.get("host", "")
        if event["type"] == "task_start" and self._bars is not None:
            words = str(event["task"]).lower()
            self._bars.update(self._rows[host], description=f"{host}: {words}")
        elif event["type"] == "task_ok":
            self._note(f"{host}: {str(event['task']).lower()}")
        elif event["type"] == "interrupted":
            again = event["count"] > 1
            words = "Aborting." if again else "Hosts at work finish first. Ctrl-C again to abort."
            click.echo(words, err=True)
        for step in event.get("steps", ()):
            self._note(f"{host}:   {step['name']} took {step['seconds']:.1f} s")

    def _note(self, words: str) -> None:
        line = f"{time.monotonic() - self._started:6.1f} s  {words}"
        if self._bars is not None:
            self._bars.console.print(line, style="dim", highlight=False)
        else:
            click.echo(line, err=True)


def _bars() -> Bars:
    from rich.console import Console  # noqa: PLC0415 - only where a terminal is
    from rich.progress import Progress as Bars  # noqa: PLC0415
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Bars(*columns, console=Console(stderr=True), transient=True)
