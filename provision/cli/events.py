"""A run as a stream of events: one JSON object a line, written as it happens, never a secret in it.

docs/reference/contracts.md lists them; ``provision schema event`` is their JSON Schema.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import select
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

import click

from provision import __version__
from provision.cli.exits import code_of
from provision.cli.printing import tell
from provision.errors import ProvisionError, UsageWrong

FORMAT = "1.0"
"""Version of the events: a new minor only adds types and keys, a new major may change them."""
_DESCRIPTOR = re.compile(r"fd:([0-9]{1,6})")
_LOOK_MS = 500
"""How often a write that waits for its reader looks whether it still should."""


class Events:
    """Where events go. Without a descriptor they go nowhere; safe to use from several threads."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor
        self._run_id = os.urandom(16).hex()
        self._lock = threading.Lock()
        self._is_patient = True

    @classmethod
    def open(cls, destination: str | None) -> Self:
        """Write to a file (made new, 0600) or to ``fd:N``, which was inherited.

        Raises UsageWrong when that cannot be written to.
        """
        if destination is None:
            return cls()
        match = _DESCRIPTOR.fullmatch(destination)
        try:
            descriptor = _inherited(int(match[1])) if match else _new_file(destination)
        except OSError as error:
            raise UsageWrong(
                f"events cannot be written to {destination}: {error.strerror}",
                hint="give a file, or fd:N of a descriptor that is open for writing",
            ) from error
        return cls(descriptor)

    @property
    def are_wanted(self) -> bool:
        """False when nobody reads them: then nothing need be worked out for them."""
        return self._descriptor is not None

    def tell(self, kind: str, message: str, *, host: str | None = None, **values: Any) -> None:
        """Write one event. A reader that is gone or a full disk ends the stream, not the run."""
        if self._descriptor is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        common = {"type": kind, "ts": f"{now}Z", "run_id": self._run_id}
        about = {} if host is None else {"host": host}
        event = {**common, **about, "message": message, **values}
        with self._lock:
            self._write(json.dumps(event).encode() + b"\n")

    def no_longer_wait(self) -> None:
        """From now on end the stream where its reader does not read; may come from a signal."""
        self._is_patient = False

    def _write(self, line: bytes) -> None:
        try:
            while line and self._descriptor is not None:
                self._wait_for_reader(self._descriptor)
                # poll(2) promises room for so much, which is written at once (pipe(7)).
                line = line[os.write(self._descriptor, line[: select.PIPE_BUF]) :]
        except OSError as error:
            self._descriptor = None
            tell(f"Note: events end here: {error.strerror}")
        except BaseException:  # interrupted: nothing may follow half a line
            self._descriptor = None
            raise

    def _wait_for_reader(self, descriptor: int) -> None:
        room = select.poll()
        room.register(descriptor, select.POLLOUT)
        while not room.poll(_LOOK_MS):
            if not self._is_patient:
                raise OSError(errno.ETIMEDOUT, "nobody reads them")

    @contextmanager
    def run(self, command: str, **values: Any) -> Iterator[None]:
        """Tell the version and the beginning of a run, and how it ends when it raises."""
        self.tell("version", f"provision {__version__}", format_version=FORMAT, program=__version__)
        self.tell("run_start", f"provision {command}", command=command, **values)
        try:
            yield
        except BaseException as error:
            self._tell_error(error)
            self.end(code_of(error))
            raise

    def _tell_error(self, error: BaseException) -> None:
        if isinstance(error, ProvisionError):
            self.diagnose(error)
        else:
            self.tell("diagnostic", _words(error), severity="error", hint=None)

    def diagnose(self, error: ProvisionError, *, host: str | None = None) -> None:
        """Tell an error that a person can act on, and of a wrong spec every problem."""
        for problem in getattr(error, "told", ()):
            self.tell("diagnostic", problem["message"], **_without(problem, "message"))
        self.tell("diagnostic", error.message, host=host, severity="error", hint=error.hint)

    def end(self, exit_code: int) -> None:
        """Tell the end of the run: the last event."""
        self.tell("run_end", f"exit code {exit_code}", exit_code=int(exit_code))


def _inherited(number: int) -> int:
    flags = fcntl.fcntl(number, fcntl.F_GETFL)
    if flags & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(0, "it is open for reading only")
    return os.dup(number)


def _new_file(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    descriptor = os.open(path, flags, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):  # a pipe has its maker's permissions
        os.fchmod(descriptor, 0o600)
    return descriptor


def _words(error: BaseException) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return "interrupted"
    return f"{type(error).__name__} (a fault of the program)"


def _without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
