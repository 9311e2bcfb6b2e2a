"""One SSH session to a host: pinned host key, deadlines, and messages a person can act on."""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from provision.errors import HostUnreachable
from provision.hosts.connection import Connection
from provision.hosts.quick_paramiko import paramiko
from provision.hosts.target import Target

CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command on a host gave back."""

    status: int
    output: bytes
    errors: bytes


class Session:
    """An open SSH session; use it as a context manager. Safe to use from one thread."""

    def __init__(self, target: Target, client: paramiko.SSHClient) -> None:
        self.target = target
        self._client = client

    @classmethod
    def open(cls, target: Target, connection: Connection) -> Self:
        """Connect and log in; raises HostUnreachable that says why and what to do."""
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            if connection.known_hosts.exists():
                client.load_host_keys(str(connection.known_hosts))
            _connect(client, target, connection.private_key)
        except (OSError, EOFError, paramiko.SSHException) as error:
            client.close()
            raise unreachable(target, error) from error
        transport = client.get_transport()
        if transport is not None:
            transport.set_keepalive(KEEPALIVE_SECONDS)
        return cls(target, client)

    def run(self, command: str, *, stdin: bytes = b"", seconds: float = 30.0) -> Answer:
        """Run a command as root with ``stdin``; raises HostUnreachable when it is cut off."""
        if self.target.user != "root":
            command = f"sudo -n -- {command}"
        try:
            return self._run(command, stdin, time.monotonic() + seconds)
        except TimeoutError as error:
            raise HostUnreachable(
                f"{self.target.name}: no answer within {seconds:.0f} s",
                hint="is the host overloaded, or did the network break?",
            ) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise HostUnreachable(
                f"{self.target.name}: the connection broke: {_words(error)}",
                hint="run the command again",
            ) from error

    def start(self, command: str) -> paramiko.Channel:
        """Start a command as root that is talked to for longer; the caller closes the channel.

        Raises HostUnreachable.
        """
        if self.target.user != "root":
            command = f"sudo -n -- {command}"
        try:
            channel = self._channel()
            channel.exec_command(command)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise HostUnreachable(
                f"{self.target.name}: the connection broke: {_words(error)}",
                hint="run the command again",
            ) from error
        return channel

    def _channel(self) -> paramiko.Channel:
        transport = self._client.get_transport()
        if transport is None:
            raise paramiko.SSHException("the session is closed")
        return transport.open_session(timeout=CONNECT_SECONDS)

    def _run(self, command: str, stdin: bytes, deadline: float) -> Answer:
        with self._channel() as channel:
            channel.settimeout(KEEPALIVE_SECONDS)
            channel.exec_command(command)
            output, errors = _converse(channel, stdin, deadline)
            return Answer(channel.recv_exit_status(), output, errors)

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _converse(channel: paramiko.Channel, stdin: bytes, deadline: float) -> tuple[bytes, bytes]:
    """Write and read at once: a side that is never read would stall the other (RFC 4254 5.2)."""
    output, errors, pending = bytearray(), bytearray(), memoryview(stdin)
    if not stdin:
        channel.shutdown_write()
    while True:
        if pending and channel.send_ready():
            pending = pending[channel.send(bytes(pending[:32768])) :]
            if not pending:
                channel.shutdown_write()
        ended = channel.closed or (channel.eof_received and channel.exit_status_ready())
        while channel.recv_ready():
            output += channel.recv(65536)
        while channel.recv_stderr_ready():
            errors += channel.recv_stderr(65536)
        if ended:
            return bytes(output), bytes(errors)
        _wait(channel, is_writing=bool(pending), deadline=deadline)


def _wait(channel: paramiko.Channel, *, is_writing: bool, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    if channel.eof_received:
        channel.status_event.wait(min(left, 0.05))
    else:
        select.select([channel], [], [], 0.005 if is_writing else min(left, 1.0))


def _connect(client: paramiko.SSHClient, target: Target, key: Path | None) -> None:
    client.connect(
        target.address,
        port=target.port,
        username=target.user,
        pkey=None if key is None else paramiko.PKey.from_path(key),
        allow_agent=key is None,
        look_for_keys=key is None,
        timeout=CONNECT_SECONDS,
        banner_timeout=CONNECT_SECONDS,
        auth_timeout=CONNECT_SECONDS,
        channel_timeout=CONNECT_SECONDS,
        transport_factory=_prompt_transport,
    )


def _prompt_transport(stream: Any, /, **options: Any) -> paramiko.Transport:
    """A transport over a TCP socket whose short messages go out at once, as ssh(1) has it.

    Else the kernel holds each back until the one before is acknowledged, which the other side puts
    off for 40 ms (tcp(7), TCP_NODELAY): three times in a question.
    """
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return paramiko.Transport(stream, **options)


def unreachable(target: Target, error: Exception) -> HostUnreachable:
    """Turn what the network or paramiko said into what happened and what to do about it."""
    what, hint = _what_and_hint(target, error)
    return HostUnreachable(f"{target}: {what}", hint=hint)


def _what_and_hint(  # noqa: PLR0911 - a table with a row per cause
    target: Target, error: Exception
) -> tuple[str, str]:
    trust = f"provision trust {target.name}"
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        error = next(iter(error.errors.values()))
    match error:
        case paramiko.BadHostKeyException():
            hint = "someone may be in between; was the host rebuilt? remove its line, then"
            return "its host key is not the pinned one", f"{hint} run: {trust}"
        case paramiko.AuthenticationException():
            return (
                f"it refused our login as {target.user}",
                "is your key in its authorized_keys, and loaded in the agent (ssh-add -l)?",
            )
        case paramiko.SSHException() if "not found in known_hosts" in str(error):
            return "its host key is not known yet", f"run: {trust}"
        case socket.gaierror():
            return "no address for this name", "check `address` in fleet.yml"
        case TimeoutError():
            return (
                f"no answer within {CONNECT_SECONDS:.0f} s",
                "is it up, and does a firewall let you through?",
            )
        case ConnectionRefusedError():
            return "the connection was refused", "is sshd running on that port?"
        case OSError() if error.strerror:
            hint = "check `address` in fleet.yml, and the way from this machine to it"
            return error.strerror.lower(), hint
    return _words(error), "try ssh -v to the same address"


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
