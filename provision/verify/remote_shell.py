"""Run many commands on one host over one channel: a remote loop takes them one by one."""

from __future__ import annotations

import json
import shlex
import threading
import time
from dataclasses import dataclass
from importlib import resources
from typing import Protocol

COMMAND_SECONDS = 30.0
_GRACE_SECONDS = 5.0
"""How much later than the host's own deadline the controller gives up."""


class Channel(Protocol):
    """The part of paramiko.Channel that is used here."""

    def settimeout(self, timeout: float | None) -> None: ...  # noqa: D102
    def sendall(self, data: bytes) -> None: ...  # noqa: D102
    def recv(self, nbytes: int) -> bytes: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class ShellLost(Exception):
    """The remote loop ended or does not answer: the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended: exit status, or None when its deadline passed and it was killed."""

    status: int | None
    stdout: bytes
    stderr: bytes


def program(name: str) -> str:
    """Source text of one of the programs in ``provision/verify/on_host``."""
    return resources.files("provision.verify.on_host").joinpath(f"{name}.py").read_text("utf-8")


LOOP = shlex.join(["python3", "-I", "-S", "-c", program("loop")])
"""The command that starts the remote loop."""


class RemoteShell:
    """One remote loop on one host. Thread-safe: commands wait for each other.

    ``channel`` is where the command LOOP has been started.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._buffer = bytearray()
        self._lock = threading.Lock()

    def run(self, command: str, *, timeout: float = COMMAND_SECONDS) -> Completed:
        """Run a shell command; raises ShellLost."""
        return self._ask({"shell": command, "timeout": timeout})

    def run_python(
        self, source: str, *, request: object, timeout: float = COMMAND_SECONDS
    ) -> Completed:
        """Run Python source with ``request`` as JSON on its standard input; raises ShellLost.

        The request may hold secrets: it never appears in an argument list.
        """
        argv = ["python3", "-I", "-S", "-c", source]
        return self._ask({"argv": argv, "stdin": json.dumps(request), "timeout": timeout})

    def close(self) -> None:
        """End the remote loop."""
        self._channel.close()

    def _ask(self, request: dict[str, object]) -> Completed:
        with self._lock:
            seconds = float(str(request["timeout"])) + _GRACE_SECONDS
            deadline = time.monotonic() + seconds
            try:
                self._channel.settimeout(seconds)
                self._channel.sendall(json.dumps(request).encode() + b"\n")
                head = json.loads(self._take_line(deadline))
                out = self._take(head["out"], deadline)
                err = self._take(head["err"], deadline)
            except (OSError, EOFError, ValueError) as error:
                self._channel.close()
                raise ShellLost(f"the session ended: {error or type(error).__name__}") from error
        return Completed(head["status"], out, err)

    def _take_line(self, deadline: float) -> bytes:
        while b"\n" not in self._buffer:
            self._receive(deadline)
        return self._take(self._buffer.index(b"\n") + 1, deadline)

    def _take(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            self._receive(deadline)
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _receive(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self._channel.settimeout(left)
        data = self._channel.recv(65536)
        if not data:
            raise EOFError
        self._buffer += data
