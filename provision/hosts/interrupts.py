"""Ctrl-C while hosts are at work: once is a wish to stop, twice ends what runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from queue import SimpleQueue
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TOLD_SECONDS = 5.0
"""How long the end waits for those who are told, when they do not listen."""


class Interrupts:
    """Counts Ctrl-C for as long as it is open, in the main thread; a context manager.

    Once is told and nothing else: who starts work asks ``is_wanted`` before starting more. Twice
    ends the process group that is watched, and ``on_abort`` is called; it must not wait for
    anything, since a signal comes in the middle of whatever the main thread is doing. Events are
    told by a thread of their own for the same reason.

    A job that is cancelled and a terminal that is closed count as the second (SIGTERM, SIGHUP):
    nobody will ask again before SIGKILL.
    """

    def __init__(
        self,
        on_event: Callable[[Mapping[str, Any]], None],
        on_abort: Callable[[], None] = lambda: None,
    ) -> None:
        self.count = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._on_event, self._on_abort = on_event, on_abort
        self._untold: SimpleQueue[int] = SimpleQueue()  # its put may interrupt itself
        self._teller = threading.Thread(target=self._tell, daemon=True)

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
        self._teller.start()
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}
        for number, before in self._before.items():
            if number is signal.SIGINT or before is not signal.SIG_IGN:  # nohup(1) has its way
                signal.signal(number, self._take)
        return self

    def __exit__(self, *_error: object) -> None:
        self._untold.put(0)
        self._teller.join(_TOLD_SECONDS)
        for number, before in self._before.items():
            signal.signal(number, before)

    def _take(self, number: int, _frame: object) -> None:
        self.count = self.count + 1 if number == signal.SIGINT else max(2, self.count + 1)
        if self.is_abort:
            self._end()
            self._on_abort()
        self._untold.put(self.count)

    def _tell(self) -> None:
        while count := self._untold.get():
            self._on_event({"type": "interrupted", "count": count})

    def _end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
