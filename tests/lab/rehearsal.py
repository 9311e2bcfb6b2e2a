"""A rehearsed fleet as its customers use it: real mail programs, real logins, real addresses."""

from __future__ import annotations

import contextlib
import email
import email.policy
import imaplib
import poplib
import smtplib
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import TypeVar

from provision.lab.lab import Lab
from provision.model.fleet import Fleet, GivenPassword
from provision.spec.load import load_fleet
from provision.verify.probes import clients
from provision.verify.probes.clients import Door
from tests.contract_checks import check_document

ROOT = Path(__file__).resolve().parents[2]
HOST = "mail1"
_PROVISION = "from provision.cli.main import main; main()"

T = TypeVar("T")


@dataclass
class Rehearsal:
    """The demo fleet on machines of the lab. Use its clients inside ``lab.inside()``."""

    fleet_dir: Path
    lab: Lab
    fleet: Fleet
    _senders: dict[tuple[str, int], smtplib.SMTP] = field(default_factory=dict)
    _readers: dict[str, imaplib.IMAP4] = field(default_factory=dict)

    @classmethod
    def of(cls, fleet_dir: Path) -> Rehearsal:
        """The rehearsal of a fleet folder; nothing is started yet."""
        fleet = load_fleet(fleet_dir)
        for site in fleet.sites:
            tuple(site.mailboxes)  # read now: tests edit the files afterwards
        return cls(fleet_dir, Lab.open(fleet_dir), fleet)

    @property
    def address(self) -> str:
        """Address of the one mail host."""
        return self.fleet.host(HOST).address

    @property
    def authority(self) -> Path:
        """PEM of the fleet's own CA."""
        return self.fleet_dir / ".provision" / "ca" / "ca.crt"

    @property
    def door(self) -> Door:
        """To the mail host, with the trust that a customer was given."""
        trust = ssl.create_default_context(cafile=str(self.authority))
        return Door(self.address, self.fleet.host(HOST).fqdn.name, trust)

    def provision(self, *words: str, code: int = 0, before: str = "") -> str:
        """Run a command of provision on this fleet; its standard output. Fails on another code.

        ``before`` is Python that runs first, for a program that asks for something else.
        """
        ran = subprocess.run(
            [sys.executable, "-c", f"{before}\n{_PROVISION}", *words, "-i", str(self.fleet_dir)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert ran.returncode == code, f"{words}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        if "json" in words and ran.stdout:
            check_document(words[0], ran.stdout)
        return ran.stdout

    def run(self, command: str) -> str:
        """Run a shell command on the mail host; its standard output."""
        return self.lab.run(HOST, ["sh", "-c", command]).stdout

    def password(self, address: str) -> str:
        """What a person types; fails for a mailbox whose password the spec does not know."""
        for site in self.fleet.sites:
            for mailbox in site.mailboxes:
                if str(site.address_of(mailbox)) == address:
                    assert isinstance(mailbox.password, GivenPassword), address
                    return mailbox.password.password.reveal()
        raise AssertionError(f"no mailbox {address}")

    def sender(self, address: str, port: int = 465) -> smtplib.SMTP:
        """A submission client, logged in; kept, so that logins stay under the host's limit."""
        client = self._senders.get((address, port))
        if client is None or not _is_alive(client):
            if client:
                client.close()
            client = clients.submission(self.door, port)
            client.login(address, self.password(address))
            self._senders[address, port] = client
        return client

    def reader(self, address: str) -> imaplib.IMAP4:
        """An IMAP client, logged in with INBOX selected; kept."""
        client = self._readers.get(address)
        if client is None:
            client = clients.imap(self.door)
            client.login(address, self.password(address))
            client.select("INBOX")
            self._readers[address] = client
        return client

    def collector(self, address: str) -> poplib.POP3:
        """A POP3 client, logged in."""
        client = clients.pop3(self.door)
        client.user(address)
        client.pass_(self.password(address))
        return client

    def send(self, sender: str, recipient: str, *, text: str = "Hello.\n") -> str:
        """Send a message by submission; its subject, which no other message has."""
        message = new_message(sender, recipient, text=text)
        self.sender(sender).send_message(message, sender, [recipient])
        return str(message["Subject"])

    def send_from_world(self, recipient: str, *, text: str = "Hello.\n") -> str:
        """Send a message as a server of the world does, without a login; its subject."""
        sender = "bob@home.example"
        message = new_message(sender, recipient, text=text)
        with clients.smtp(self.door) as client:
            client.starttls(context=self.door.tls)
            client.send_message(message, sender, [recipient])
        return str(message["Subject"])

    def received(self, address: str, subject: str) -> EmailMessage:
        """Wait until the message is in the mailbox's inbox."""
        return until(lambda: self._find(address, subject), f"{subject!r} in {address}")

    def has_received(self, address: str, subject: str) -> bool:
        """Whether the message is in the inbox now."""
        return self._find(address, subject) is not None

    def _find(self, address: str, subject: str) -> EmailMessage | None:
        client = self.reader(address)
        client.noop()
        _, found = client.search(None, "SUBJECT", f'"{subject}"')
        if not found[0]:
            return None
        _, parts = client.fetch(found[0].split()[0].decode(), "(BODY.PEEK[])")
        part = parts[0]
        assert isinstance(part, tuple)
        return email.message_from_bytes(part[1], policy=email.policy.default)

    def close(self) -> None:
        """Leave every session."""
        gone = contextlib.suppress(OSError, smtplib.SMTPException, imaplib.IMAP4.error)
        for sender in self._senders.values():
            with gone:
                sender.quit()
        for reader in self._readers.values():
            with gone:
                reader.logout()
            with gone:
                reader.shutdown()  # also where the server has gone without a word
        self._senders.clear()
        self._readers.clear()

    @contextlib.contextmanager
    def edited(self, file: str, change: Callable[[str], str]) -> Iterator[None]:
        """The spec with one file changed; put back afterwards (apply it yourself)."""
        path = self.fleet_dir / file
        before = path.read_text()
        changed = change(before)
        assert changed != before, file
        path.write_text(changed)
        try:
            yield
        finally:
            path.write_text(before)


def new_message(sender: str, recipient: str, *, text: str = "Hello.\n") -> EmailMessage:
    """A message with a subject of its own."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = f"rehearsal {uuid.uuid4().hex}"
    message.set_content(text)
    return message


def until(find: Callable[[], T | None], what: str, *, within: float = 30.0) -> T:
    """Wait for something to be there."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {within:.0f} s: {what}")


def _is_alive(client: smtplib.SMTP) -> bool:
    try:
        return client.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False
