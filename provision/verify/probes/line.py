"""One thread of probes at one site: they share logins, so that a site is not asked for ten."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from provision.verify.outcome import Fault, NotTried
from provision.verify.probes import clients
from provision.verify.probes.place import SitePlace

C = TypeVar("C")


class Line:
    """The open clients of one thread of probes. Not thread-safe, and not meant to be."""

    def __init__(self, place: SitePlace) -> None:
        self.place = place
        self.token = uuid.uuid4().hex
        """Marks the messages of this run, so that they are found again and deleted."""
        self._open: dict[str, Any] = {}
        self._broken: set[str] = set()

    def submission(self, port: int) -> smtplib.SMTP:
        """A connection to 465 or 587, logged in as the probe mailbox."""
        return self._client(f"login on {port}", lambda: self._log_in_to_submission(port))

    def stranger(self) -> smtplib.SMTP:
        """A connection to port 25 over TLS, without a login."""
        return self._client("port 25", self._come_as_a_stranger)

    def imap(self) -> imaplib.IMAP4:
        """A connection to 993, logged in as the probe mailbox, with INBOX selected."""
        return self._client("login on 993", lambda: log_in_to_imap(self.place))

    def neighbour_imap(self, neighbour: SitePlace) -> imaplib.IMAP4:
        """The same at another site."""
        return self._client(f"login at {neighbour.site.domain}", lambda: log_in_to_imap(neighbour))

    def delivery_failed(self) -> None:
        """Remember that a message did not arrive: no other one need be waited for."""
        self._broken.add("delivery")

    def require_delivery(self) -> None:
        """Raise NotTried when a message before has not arrived."""
        if "delivery" in self._broken:
            raise NotTried("an earlier message did not arrive")

    def drop(self) -> None:
        """Close every client: after a fault nobody knows in which state it was left."""
        for client in self._open.values():
            with contextlib.suppress(OSError, smtplib.SMTPException, imaplib.IMAP4.error):
                (client.quit if isinstance(client, smtplib.SMTP) else client.logout)()
        self._open.clear()

    def _client(self, what: str, open_client: Callable[[], C]) -> C:
        if what in self._broken:
            raise NotTried(f"{what} has failed")
        if what not in self._open:
            try:
                self._open[what] = open_client()
            except Fault:
                self._broken.add(what)
                raise
        client: C = self._open[what]
        return client

    def _come_as_a_stranger(self) -> smtplib.SMTP:
        with clients.conversation("port 25"):
            client = clients.smtp(self.place.door, 25)
            client.starttls(context=self.place.door.tls)
            client.ehlo()
            return client

    def _log_in_to_submission(self, port: int) -> smtplib.SMTP:
        def log_in() -> smtplib.SMTP:
            client = clients.submission(self.place.door, port)
            client.login(str(self.place.mailbox), self.place.password.reveal())
            return client

        with clients.conversation(f"login on port {port}"):
            return clients.when_allowed(log_in)


def log_in_to_imap(place: SitePlace) -> imaplib.IMAP4:
    """Log in to a site's probe mailbox and select INBOX; raises Fault."""
    with clients.conversation(f"login of {place.mailbox} on port 993"):
        client = clients.imap(place.door)
        client.login(str(place.mailbox), place.password.reveal())
        client.select("INBOX")
        return client
