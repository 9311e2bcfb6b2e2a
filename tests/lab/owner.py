"""A mailbox's owner, with a password and a filter that no spec knows: nothing may touch them."""

from __future__ import annotations

import base64
import imaplib
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from provision.apply.passwords import generate_password, hash_password
from provision.verify.probes import clients
from provision.verify.probes.clients import Door
from tests.lab.host_programs import run_there
from tests.lab.rehearsal import Rehearsal, until

FOLDER, SCRIPT = "Filed", "mine"
FILTER = f'require ["fileinto", "mailbox"];\nfileinto :create "{FOLDER}";\n'


@dataclass
class Owner:
    """Somebody who has chosen both; use the clients inside ``lab.inside()``."""

    wire: Rehearsal
    address: str
    password: str
    _held: str
    """The host's password hash, as it was when the password was chosen."""

    @classmethod
    def of(cls, wire: Rehearsal, address: str) -> Owner:
        """An owner with a new password; outside of the lab's network."""
        chosen = generate_password()
        run_there(wire, "other_hash", address, stdin=hash_password(chosen).reveal())
        return cls(wire, address, chosen.reveal(), _hash_of(wire, address))

    def is_let_in(self) -> bool:
        """Whether the password is good; Dovecot looks at its files once in a second."""
        try:
            self._login(self.password).logout()
        except imaplib.IMAP4.error:
            return False
        return True

    def put_filter(self) -> None:
        """Put a script there and make it the active one."""
        with Scripts.of(self.wire.door, self.address, self.password) as scripts:
            scripts.ask(f'PUTSCRIPT "{SCRIPT}" {{{len(FILTER)}+}}\r\n{FILTER}')
            scripts.ask(f'SETACTIVE "{SCRIPT}"')

    def drop_filter(self) -> None:
        """Have no script any more, nor what it has filed."""
        with Scripts.of(self.wire.door, self.address, self.password) as scripts:
            scripts.ask('SETACTIVE ""')
            for name in scripts.ask("LISTSCRIPTS"):
                scripts.ask(f"DELETESCRIPT {name}")
        client = self._login(self.password)
        client.delete(FOLDER)
        client.logout()

    def filed(self, subject: str) -> None:
        """Wait until the filter has put a message into its folder."""
        until(lambda: self._is_filed(subject), f"{subject!r} in {FOLDER} of {self.address}")

    def require_untouched(self, sender: str, earlier: str) -> None:
        """Password, filter and mail are what they were, and the filter is at work."""
        assert _hash_of(self.wire, self.address) == self._held
        with pytest.raises(imaplib.IMAP4.error):
            self._login(self.wire.password(self.address))
        with Scripts.of(self.wire.door, self.address, self.password) as scripts:
            assert scripts.ask("LISTSCRIPTS") == [f'"{SCRIPT}" ACTIVE']
            told = scripts.ask(f'GETSCRIPT "{SCRIPT}"')
            assert told[1:] == FILTER.splitlines()
        self.filed(earlier)
        self.filed(self.wire.send(sender, self.address))

    def _is_filed(self, subject: str) -> bool:
        client = self._login(self.password)
        try:
            if client.select(FOLDER, readonly=True)[0] != "OK":
                return False
            return bool(client.search(None, "SUBJECT", f'"{subject}"')[1][0])
        finally:
            client.logout()

    def _login(self, password: str) -> imaplib.IMAP4:
        client = clients.imap(self.wire.door)
        try:
            client.login(self.address, password)
        except imaplib.IMAP4.error:
            client.shutdown()
            raise
        return client


@contextmanager
def owner_of(wire: Rehearsal, address: str) -> Iterator[Owner]:
    """An owner with a filter; in the end the mailbox is as the spec made it."""
    spec_made = _hash_of(wire, address)
    owner = Owner.of(wire, address)
    try:
        with wire.lab.inside():
            until(owner.is_let_in, f"Dovecot knows the new password of {address}")
            owner.put_filter()
        yield owner
    finally:
        try:
            with wire.lab.inside():
                owner.drop_filter()
        finally:
            run_there(wire, "other_hash", address, stdin=spec_made)


def _hash_of(wire: Rehearsal, address: str) -> str:
    site = address.rpartition("@")[2]
    held = wire.run(f"cat /var/lib/provision/accounts/credentials/{site}.json")
    return str(json.loads(held)[address]["hash"])


class Scripts:
    """What a mail program needs of ManageSieve (RFC 5804)."""

    def __init__(self, stream: ssl.SSLSocket) -> None:
        self._stream, self._lines = stream, stream.makefile("r", newline="\r\n")

    @classmethod
    @contextmanager
    def of(cls, door: Door, address: str, password: str) -> Iterator[Scripts]:
        """A session inside TLS, logged in."""
        plain = door.connect(4190)
        with plain.makefile("r", newline="\r\n") as lines:
            _answer(lines)
            plain.sendall(b"STARTTLS\r\n")
            _answer(lines)
        with door.tls.wrap_socket(plain, server_hostname=door.name) as stream:
            scripts = cls(stream)
            _answer(scripts._lines)
            words = base64.b64encode(f"\0{address}\0{password}".encode()).decode()
            scripts.ask(f'AUTHENTICATE "PLAIN" "{words}"')
            yield scripts
            scripts.ask("LOGOUT")

    def ask(self, command: str) -> list[str]:
        """Send a command; the lines of the answer. Fails unless it ends with OK."""
        self._stream.sendall(f"{command}\r\n".encode())
        return _answer(self._lines)


def _answer(lines: Iterator[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        words = line.rstrip("\r\n")
        if words.startswith("OK"):
            return found
        assert not words.startswith(("NO", "BYE")), words
        found += words.split("\n")
    raise AssertionError("the server closed the connection")
