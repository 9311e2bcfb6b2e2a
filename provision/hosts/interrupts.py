"""Ctrl-C while hosts are at work: once is a wish to stop, twice ends what runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self


class Interrupts:
    """Counts Ctrl-C for as long as it is open, in the main thread; a context manager.

    Once is told and nothing else: who starts work asks ``is_wanted`` before starting more. Twice
    ends the process group that is watched.
    """

    def __init__(self, on_event: Callable[[Mapping[str, Any]], None]) -> None:
        self.count = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._on_event = on_event

    @property
    def is_wanted(self) -> bool:
        """True when nothing more should be started."""
        return self.count > 0

    @property
    def is_abort(self) -> bool:
        """True when what ran was ended."""
        return self.count > 1

    @contextlib.contextmanager
    def watching(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """End this process, a leader of its group, at the second Ctrl-C."""
        self._process = process
        if self.is_abort:  # both came before there was a process
            self._end()
        try:
            yield
        finally:
            self._process = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_error: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _take(self, _number: int, _frame: object) -> None:
        self.count += 1
        self._on_event({"type": "interrupted", "count": self.count})
        if self.is_abort:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
