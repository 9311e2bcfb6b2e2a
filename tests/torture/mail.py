"""Does the host serve? A letter from the world comes in by SMTP and is read by IMAP."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import time
from collections.abc import Iterator

from provision.verify.probes import clients
from tests.lab.rehearsal import Rehearsal
from tests.torture.specs import COMES_AND_GOES, PLAYS, STAYS

_SENDER = "bob@home.example"


def faults_of_mail(rehearsal: Rehearsal, state: str | None, *, within: float = 30.0) -> list[str]:
    """What a sender and a reader find wrong on a host that shall be in ``state``.

    None: between states; only the mailboxes that both have are tried.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            with rehearsal.lab.inside():
                return [*_refusals(rehearsal, state), *_lost_letters(rehearsal)]
        except (OSError, smtplib.SMTPException, imaplib.IMAP4.error) as error:
            if time.monotonic() > deadline:  # a host that has just booted needs its moment
                return [f"mail: {type(error).__name__}: {error}"]
            time.sleep(0.2)


def _refusals(rehearsal: Rehearsal, state: str | None) -> Iterator[str]:
    """Who must be accepted and is not, and the other way round."""
    with clients.smtp(rehearsal.door) as client:
        client.ehlo("torture.home.example")
        client.mail(_SENDER)
        for address in (*STAYS, *COMES_AND_GOES.get(state or "", ())):
            code, words = client.rcpt(address)
            if code != 250:
                yield f"{address} is refused: {code} {words.decode(errors='replace')}"
        others = [play.other(state) for play in PLAYS.values() if state in {play.near, play.far}]
        for address in (address for other in others for address in COMES_AND_GOES[other]):
            code, _words = client.rcpt(address)
            if code not in {550, 554}:
                yield f"{address} is of the other state and answered with {code}"


def _lost_letters(rehearsal: Rehearsal) -> Iterator[str]:
    subject = rehearsal.send_from_world("anna@acme.example")
    reader = clients.imap(rehearsal.door)
    try:
        reader.login("anna@acme.example", rehearsal.password("anna@acme.example"))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            reader.select("INBOX")
            _, found = reader.search(None, "SUBJECT", f'"{subject}"')
            if found[0]:
                return
            time.sleep(0.05)
        yield "a letter was accepted and did not arrive within 20 s"
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            reader.logout()
