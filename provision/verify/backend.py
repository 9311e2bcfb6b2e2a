"""``provision://HOST``: a testinfra backend over one pinned connection and one remote loop.

testinfra's own SSH backends connect anew for each property that is read, and its paramiko backend
takes unknown host keys and hangs when standard error is large. Its ``BACKENDS`` table is not a
documented interface: tests/unit/verify/test_backend.py holds what is used of it.
"""

from __future__ import annotations

from typing import Any

import testinfra
import testinfra.backend
from testinfra.backend.base import BaseBackend, CommandResult

from provision.verify.outcome import fault, require
from provision.verify.remote_shell import COMMAND_SECONDS, RemoteShell

SCHEME = "provision"


class ProvisionBackend(BaseBackend):  # type: ignore[misc]  # testinfra has no type information
    """Runs testinfra's commands through a RemoteShell."""

    NAME = SCHEME

    def __init__(self, hostname: str, *args: Any, shell: RemoteShell, **kwargs: Any) -> None:
        super().__init__(hostname, *args, **kwargs)
        self._shell = shell
        self._encoding = "utf-8"

    def run(self, command: str, *args: str, **_kwargs: Any) -> CommandResult:
        """Run one command; raises Fault when it does not end within its deadline."""
        line = self.get_command(command, *args)
        done = self._shell.run(line)
        if done.status is None:
            fault(
                f"{line!r} did not end within {COMMAND_SECONDS:.0f} s",
                hint="The host is overloaded or the command hangs; run it there by hand.",
            )
        return self.result(done.status, self.encode(line), done.stdout, done.stderr)


def open_testinfra(name: str, shell: RemoteShell) -> Any:
    """The testinfra ``Host`` object for one of our hosts."""
    testinfra.backend.BACKENDS.setdefault(SCHEME, f"{__name__}.{ProvisionBackend.__name__}")
    return testinfra.get_host(f"{SCHEME}://{name}", shell=shell)


def output(host: Any, command: str, *args: str) -> str:
    """Standard output of a command that must succeed on a testinfra host; raises Fault."""
    done = host.run(command, *args)
    said = " ".join(done.stderr.split())[-200:]
    require(
        done.succeeded,
        f"{command.split(maxsplit=1)[0]} failed on the host: {said}",
        hint="Is its package installed and whole?",
        detail=f"{done.command.decode(errors='replace')}\n{done.stderr}",
    )
    return str(done.stdout).rstrip("\n")
