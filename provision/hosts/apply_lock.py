"""The lock of a whole apply on one host, kept by a session for as long as this process lives."""

from __future__ import annotations

import contextlib
import json
import shlex
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provision.errors import HostUnreachable, ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.holds import ask_unlock
from provision.hosts.on_host import program
from provision.hosts.quick_paramiko import paramiko
from provision.hosts.session import Session
from provision.hosts.target import Target

BEAT = 5.0
"""Seconds between two signs of life; the host gives up after 60 s without one."""
_DEAF = 60.0
"""Seconds without a sign of life from the host after which it is not reached any more."""
_DONE = b"done\n"
_FREE_SECONDS = 5.0
"""How long a host may take to say that it has its lock back; then it is asked anew."""
# The far end goes on to read the signs of life, so the program comes with its length.
_BOOT = (
    'import os, sys, zlib; n = int(sys.argv[1]); p = b""\n'
    "while len(p) < n: p += os.read(0, n - len(p)) or sys.exit(1)\n"
    "exec(zlib.decompress(p))"
)

Told = Mapping[str, Any]
_SIGN_OF_LIFE: Told = {"event": "alive"}


def lock_program(request: Mapping[str, Any], *, root: str = "/") -> bytes:
    """The program that keeps the lock on a host; ``root`` is its file system, for rehearsals."""
    call = f"module.main(json.loads({json.dumps(request)!r}), {root!r})"
    return zlib.compress(program("provision_apply_lock", call), 9)


def lock_command(size: int) -> list[str]:
    """The arguments that start a program of ``size`` bytes, which then comes on standard input."""
    return ["python3", "-I", "-S", "-c", _BOOT, str(size), "provision-apply-lock"]


@dataclass(slots=True)
class ApplyLock:
    """One host's lock. ``take`` it, work, ``free`` it."""

    target: Target
    connection: Connection
    request: Mapping[str, Any]
    """What playbooks/module_utils/provision_apply_lock.py notes of us, with ``wait`` (seconds)."""
    _session: Session | None = None
    _channel: paramiko.Channel | None = None
    _may_be_ours: bool = False
    _settled: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)

    def take(self, on_wait: Callable[[str, Told], None]) -> Told:
        """Ask for the lock; returns ``locked`` or ``refused`` as the host says it.

        ``on_wait`` is called with the host's name and the holder for whom this waits. Raises
        HostUnreachable.
        """
        text = lock_program(self.request)
        self._session = Session.open(self.target, self.connection)
        # The login's shell fills in the connection: behind sudo it is not known any more.
        command = f'{shlex.join(lock_command(len(text)))} "$SSH_CONNECTION"'
        channel = self._channel = self._session.start(command)
        try:
            channel.settimeout(_DEAF)
            self._may_be_ours = True
            channel.sendall(text)
            threading.Thread(target=self._beat, args=(channel,), daemon=True).start()
            with channel.makefile("r") as lines:
                return self._verdict(lines, on_wait)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise HostUnreachable(
                f"{self.target.name}: the connection broke while asking for its lock",
                hint="run the command again",
            ) from error

    def _verdict(self, lines: Iterable[str], on_wait: Callable[[str, Told], None]) -> Told:
        for line in lines:
            told: Told = json.loads(line) if line.strip() else _SIGN_OF_LIFE
            if told["event"] == "waiting":
                on_wait(self.target.name, told["holder"])
            elif told is not _SIGN_OF_LIFE:
                self._settled.set()
                self._may_be_ours = told["event"] == "locked"
                return told
            if self._over.is_set():
                break
        raise EOFError

    def _beat(self, channel: paramiko.Channel) -> None:
        """Show that this process lives, until it is over or nobody listens any more."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            while not self._over.wait(BEAT):
                channel.sendall(b"\n")
                while self._settled.is_set() and channel.recv_ready():
                    channel.recv(65536)

    def free(self) -> None:
        """Give the lock back and wait until the host has it; nothing is raised when it is gone.

        A connection that has gone dead is not waited for: the host is asked over a new one.
        """
        self._over.set()
        if self._channel is not None:
            if not self._say_done(self._channel) and self._may_be_ours:
                self._free_anew()
            self._may_be_ours = False
        if self._session is not None:
            self._session.close()

    def _say_done(self, channel: paramiko.Channel) -> bool:
        """Whether the host's side has ended by itself, as it does when it hears of this."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            channel.sendall(_DONE)
            channel.shutdown_write()
            deadline = time.monotonic() + _FREE_SECONDS
            while not channel.exit_status_ready() and time.monotonic() < deadline:
                channel.status_event.wait(0.2)
        return channel.exit_status_ready() and channel.exit_status >= 0

    def _free_anew(self) -> None:
        """Do as ``provision unlock`` does; a host that is not reached frees it by itself."""
        reason = "its controller has ended, and their connection had gone dead"
        lock, who = self.request["id"], self.request["who"]
        with contextlib.suppress(ProvisionError):
            ask_unlock(self.target, self.connection, lock=lock, who=who, reason=reason)
