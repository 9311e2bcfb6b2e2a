"""The standard library's mail and web clients, connected to one address under another name.

A name is resolved once and by the fleet's own resolver, so each client is told the address to
connect to, and still asks for, and checks, the certificate of the name.
"""

from __future__ import annotations

import http.client
import imaplib
import poplib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from provision.verify.outcome import Fault

SECONDS = 20.0
"""Deadline of each answer; Dovecot delays a refused login by seconds on purpose."""
CONNECT_SECONDS = 8.0
"""Deadline of a connection, its TLS handshake and the greeting."""
_TURN_SECONDS = 100.0
_TOO_MUCH = re.compile(r"Error: too (many|much)\b")

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Door:
    """Where a service is entered: an address, the name its certificate must have, and our trust."""

    address: str
    name: str
    tls: ssl.SSLContext
    _silent: set[int] = field(default_factory=set, compare=False, repr=False)

    def connect(self, port: int) -> socket.socket:
        """A TCP connection with the deadline of a greeting; raises OSError.

        A port that swallowed one connection is not waited for again: many probes ask for it.
        """
        if port in self._silent:
            raise TimeoutError
        try:
            return socket.create_connection((self.address, port), CONNECT_SECONDS)
        except TimeoutError:
            self._silent.add(port)
            raise


@contextmanager
def conversation(about: str) -> Iterator[None]:
    """Turn whatever a client raises into a Fault that says during what."""
    try:
        yield
    except (smtplib.SMTPException, imaplib.IMAP4.error, poplib.error_proto, OSError,
            EOFError, http.client.HTTPException) as error:  # fmt: skip
        raise Fault(f"{about}: {words(error)}", detail=repr(error)) from error


def words(error: BaseException) -> str:
    """What an exception of a client means, in one line."""
    match error:
        case smtplib.SMTPResponseException():
            return f"{error.smtp_code} {text(error.smtp_error)}"
        case smtplib.SMTPRecipientsRefused():
            return "; ".join(f"{code} {text(said)}" for code, said in error.recipients.values())
        case OSError():
            return _system_words(error)
        case imaplib.IMAP4.error() | poplib.error_proto():
            return text(error.args[0]) if error.args else type(error).__name__
        case _:
            return str(error) or type(error).__name__


def _system_words(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror or str(error) or type(error).__name__


def text(said: bytes | str | object) -> str:
    """What a server said, on one line."""
    shown = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(shown.split())


class _Smtp(smtplib.SMTP):
    def __init__(self, door: Door, port: int) -> None:
        self._door = door
        super().__init__(door.name, port, local_hostname="localhost", timeout=SECONDS)
        self.local_hostname = _literal(self)
        _be_patient(self.sock)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - smtplib's hook
        return self._door.connect(port)


class _SmtpOverTls(_Smtp):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        return self._door.tls.wrap_socket(plain, server_hostname=self._door.name)


class _Imap(imaplib.IMAP4):
    def __init__(self, door: Door, port: int) -> None:
        self._door = door
        super().__init__(door.name, port, timeout=SECONDS)
        _be_patient(self.sock)

    def _create_socket(self, timeout: float | None) -> socket.socket:  # noqa: ARG002 - imaplib's hook
        return self._door.connect(self.port)


class _ImapOverTls(_Imap):
    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = super()._create_socket(timeout)
        return self._door.tls.wrap_socket(plain, server_hostname=self._door.name)


class _Pop3(poplib.POP3):
    def __init__(self, door: Door, port: int) -> None:
        self._door = door
        super().__init__(door.name, port, timeout=SECONDS)
        _be_patient(self.sock)

    def _create_socket(self, timeout: float) -> socket.socket:  # noqa: ARG002 - poplib's hook
        return self._door.connect(self.port)


class _Pop3OverTls(_Pop3):
    def _create_socket(self, timeout: float) -> socket.socket:
        plain = super()._create_socket(timeout)
        return self._door.tls.wrap_socket(plain, server_hostname=self._door.name)


class _Https(http.client.HTTPSConnection):
    def __init__(self, door: Door) -> None:
        super().__init__(door.name, 443, timeout=SECONDS, context=door.tls)
        self._create_connection = lambda *_args: _patient(door, 443)


class _Http(http.client.HTTPConnection):
    def __init__(self, door: Door) -> None:
        super().__init__(door.name, 80, timeout=SECONDS)
        self._create_connection = lambda *_args: _patient(door, 80)


def smtp(door: Door, port: int = 25) -> smtplib.SMTP:
    """SMTP without TLS so far; ``starttls(context=door.tls)`` is up to the caller."""
    return when_allowed(lambda: _Smtp(door, port))


def smtp_over_tls(door: Door, port: int = 465) -> smtplib.SMTP:
    """SMTP inside TLS from the first byte (RFC 8314)."""
    return when_allowed(lambda: _SmtpOverTls(door, port))


def submission(door: Door, port: int) -> smtplib.SMTP:
    """A connection ready for a login: 465 inside TLS, any other port through STARTTLS."""
    if port == 465:
        return smtp_over_tls(door, port)
    client = smtp(door, port)
    client.starttls(context=door.tls)
    return client


def when_allowed(connect: Callable[[], C]) -> C:
    """Connect or log in, again while Postfix says that we have done too much for this minute.

    It counts what one address does (anvil(8)); with many sites on a host verify waits its turn.
    """
    deadline = time.monotonic() + _TURN_SECONDS
    while True:
        try:
            return connect()
        except smtplib.SMTPResponseException as refused:
            if not _TOO_MUCH.search(text(refused.smtp_error)) or time.monotonic() > deadline:
                raise
        time.sleep(_TURN_SECONDS / 20)


def imap(door: Door) -> imaplib.IMAP4:
    """IMAP inside TLS on 993."""
    return _ImapOverTls(door, 993)


def cleartext_imap(door: Door) -> imaplib.IMAP4:
    """IMAP without TLS on 143."""
    return _Imap(door, 143)


def pop3(door: Door) -> poplib.POP3:
    """POP3 inside TLS on 995."""
    return _Pop3OverTls(door, 995)


def cleartext_pop3(door: Door) -> poplib.POP3:
    """POP3 without TLS on 110."""
    return _Pop3(door, 110)


def https(door: Door) -> http.client.HTTPSConnection:
    """HTTPS on 443; connects at the first request."""
    return _Https(door)


def cleartext_http(door: Door) -> http.client.HTTPConnection:
    """HTTP on 80; connects at the first request."""
    return _Http(door)


def _patient(door: Door, port: int) -> socket.socket:
    connection = door.connect(port)
    connection.settimeout(SECONDS)
    return connection


def _be_patient(connection: socket.socket | None) -> None:
    if connection is not None:
        connection.settimeout(SECONDS)


def _literal(client: Any) -> str:
    """Our own address as a HELO argument (RFC 5321 4.1.3)."""
    address = client.sock.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
