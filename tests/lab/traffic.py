"""People at work: mail from the world and by login, every kind of reader, an idle session.

Every one has an address of its own in the lab, so that nobody meets the limits of one client.
"""

from __future__ import annotations

import contextlib
import email.policy
import imaplib
import itertools
import shlex
import smtplib
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from pathlib import Path

from provision.hosts.namespace import inside_namespace
from provision.lab.network import BRIDGE, PREFIX
from provision.lab.programs import run
from provision.verify.outcome import Fault
from provision.verify.probes import clients
from provision.verify.probes.clients import Door
from tests.lab.rehearsal import Rehearsal

WRITERS = 6
_SECONDS = 60.0
_FIRST = 101
"""Last number of the first person's address: 198.18.0.101."""
_POLLERS = 8
_PAUSE = 2.1
"""Postfix takes 60 connections, 100 messages and 30 logins of one client in a minute."""


@dataclass(frozen=True, slots=True)
class From(Door):
    """A door that is reached from one address of ours."""

    source: str = ""

    def connect(self, port: int) -> socket.socket:
        """Connect from that address; a busy machine may take its time."""
        return socket.create_connection((self.address, port), _SECONDS, (self.source, 0))


@dataclass
class Log:
    """What happened, told by several threads."""

    acknowledged: set[str] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[float, str, str]] = field(default_factory=list)
    """When (monotonic), who, and what went wrong."""

    def since(self, moment: float) -> list[tuple[str, str]]:
        """Failures from ``moment`` on, without when."""
        return [(who, what) for when, who, what in self.failures if when >= moment]


class Traffic:
    """Starts with ``running``; ``log`` says what became of it."""

    def __init__(self, rehearsal: Rehearsal, recipients: list[str], person: str) -> None:
        self.log = Log()
        self._rehearsal = rehearsal
        self._recipients = itertools.cycle(recipients)
        self._person, self._password = person, rehearsal.password(person)
        self._over = threading.Event()
        self._numbers = itertools.count(_FIRST)
        self._namespace = rehearsal.lab.namespace

    @contextmanager
    def running(self) -> Iterator[Log]:
        """Everybody is at work until the block ends; then each finishes what it has begun."""
        work: list[tuple[str, Callable[[From], None]]] = [
            *((f"writer {number}", self._write) for number in range(WRITERS)),
            ("submission on 465", lambda door: self._submit(door, 465)),
            ("submission on 587", lambda door: self._submit(door, 587)),
            ("IMAP", self._imap),
            ("POP3", self._pop3),
        ]
        threads = [
            threading.Thread(target=self._work, args=(who, what, self._source()))
            for who, what in work
        ]
        for thread in threads:
            thread.start()
        try:
            yield self.log
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def door(self) -> From:
        """A door from an address that nobody else has."""
        plain = self._rehearsal.door
        return From(plain.address, plain.name, plain.tls, source=self._source())

    def _source(self) -> str:
        address = f"198.18.0.{next(self._numbers)}"
        ip = ["ip", "-netns", self._rehearsal.lab.name]
        run([*ip, "address", "replace", f"{address}/{PREFIX}", "dev", BRIDGE])
        return address

    def _work(self, who: str, what: Callable[[From], None], source: str) -> None:
        plain = self._rehearsal.door
        door = From(plain.address, plain.name, plain.tls, source=source)
        with inside_namespace(self._namespace):
            while not self._over.is_set():
                began = time.monotonic()
                try:
                    with clients.conversation(who):
                        what(replace(door))
                except Fault as fault:
                    self.log.failures.append((time.monotonic(), who, fault.what))
                else:
                    self.log.done[who.rstrip(" 0123456789")] += 1
                self._over.wait(max(0.05, _PAUSE - (time.monotonic() - began)))

    def _write(self, door: From) -> None:
        """One connection with three messages."""
        with clients.smtp(door) as client:
            client.ehlo()
            for _ in range(3):
                mark, recipient = uuid.uuid4().hex, next(self._recipients)
                client.sendmail("", [recipient], letter(mark, recipient))
                self.log.acknowledged.add(mark)

    def _submit(self, door: From, port: int) -> None:
        with contextlib.closing(clients.submission(door, port)) as client:
            client.login(self._person, self._password)
            mark, recipient = uuid.uuid4().hex, next(self._recipients)
            client.sendmail(self._person, [recipient], letter(mark, recipient, self._person))
            self.log.acknowledged.add(mark)
            client.quit()

    def _imap(self, door: From) -> None:
        client = clients.imap(door)
        try:
            client.login(self._person, self._password)
            client.select("INBOX", readonly=True)
        finally:
            _leave(client)

    def _pop3(self, door: From) -> None:
        with contextlib.closing(clients.pop3(door)) as client:
            client.user(self._person)
            client.pass_(self._password)
            client.stat()
            client.quit()


class IdleSession:
    """An IMAP session that waits for mail (RFC 2177), opened once and never again."""

    def __init__(self, door: From, person: str, password: str) -> None:
        self._client = clients.imap(door)
        self._client.login(person, password)
        self._client.select("INBOX")
        self._count = itertools.count()
        self._wait()

    def is_alive(self) -> bool:
        """Whether the same session answers; it idles again afterwards."""
        try:
            self._client.send(b"DONE\r\n")
            while not (line := self._client.readline()).startswith(self._tag):
                if not line or b"BYE" in line:
                    return False
            self._wait()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Leave."""
        _leave(self._client)

    def _wait(self) -> None:
        self._tag = f"i{next(self._count)} ".encode()
        self._client.send(self._tag + b"IDLE\r\n")
        while not (line := self._client.readline()).startswith(b"+"):
            if not line:
                raise ConnectionResetError


def _leave(client: imaplib.IMAP4) -> None:
    with contextlib.suppress(OSError, imaplib.IMAP4.error):
        client.shutdown()


class Poller:
    """Sends to one recipient on port 25 again and again, from ever new addresses."""

    def __init__(self, traffic: Traffic, namespace: Path, recipient: str) -> None:
        self.codes: list[int] = []
        self.acknowledged: set[str] = set()
        self._doors = itertools.cycle([traffic.door() for _ in range(_POLLERS)])
        self._namespace, self._recipient = namespace, recipient
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Poll until the block ends."""
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()

    def _work(self) -> None:
        with inside_namespace(self._namespace):
            while not self._over.is_set():
                with clients.smtp(next(self._doors)) as client:
                    client.ehlo()
                    client.mail("")
                    self.codes.append(client.rcpt(self._recipient)[0])
                    if self.codes[-1] == 250:
                        self._send(client)
                self._over.wait(1.1 / _POLLERS)

    def _send(self, client: smtplib.SMTP) -> None:
        mark = uuid.uuid4().hex
        if client.data(letter(mark, self._recipient))[0] == 250:
            self.acknowledged.add(mark)


def letter(mark: str, recipient: str, sender: str = "bob@home.example") -> bytes:
    """A message that is known by its mark."""
    message = EmailMessage(policy=email.policy.SMTP)  # submission takes no bare LF
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = f"traffic {mark}"
    message.set_content("Sent while the host was changed.\n")
    return message.as_bytes()


_SUBJECTS = r"""/^\r?$/ {nextfile} /^Subject: traffic / {print FILENAME ":" $NF}"""
"""For awk(1): the header alone, for a bounce quotes the message that it is about."""


def stored(rehearsal: Rehearsal) -> Counter[str]:
    """How often the message of each mark is in the store of the host, all folders of all people.

    A file that a session moves from ``new`` to ``cur`` meanwhile (maildir(5)) is seen twice, but
    keeps its name up to the flags.
    """
    files = "find /var/mail/provision -name '*mail1*' -type f"
    found = rehearsal.run(f"{files} -exec awk {shlex.quote(_SUBJECTS)} {{}} + 2>/dev/null || true")
    messages = set()
    for line in found.splitlines():
        path, _, mark = line.rpartition(":")
        messages.add((Path(path).parents[1], Path(path).name.partition(":")[0], mark))
    return Counter(mark for _folder, _file, mark in messages)
