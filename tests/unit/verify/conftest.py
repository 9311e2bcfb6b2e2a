"""A remote shell whose remote side is this machine: the loop is the real one, over pipes."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator

import pytest

from provision.verify.remote_shell import LOOP, RemoteShell


@pytest.fixture
def shell() -> Iterator[RemoteShell]:
    opened = RemoteShell(LocalChannel())
    yield opened
    opened.close()


class LocalChannel:
    """Speaks to a started loop as paramiko.Channel would."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {LOOP}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdin
        assert self.process.stdout
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self._timeout: float | None = None

    def settimeout(self, timeout: float | None) -> None:
        self._timeout = timeout

    def sendall(self, data: bytes) -> None:
        self._stdin.write(data)
        self._stdin.flush()

    def recv(self, nbytes: int) -> bytes:
        ready, _, _ = select.select([self._stdout], [], [], self._timeout)
        if not ready:
            raise TimeoutError
        return os.read(self._stdout.fileno(), nbytes)

    def close(self) -> None:
        self._stdin.close()
        self._stdout.close()
        self.process.wait(timeout=5)
