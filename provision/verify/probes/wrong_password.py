"""A wrong password opens nothing. Tried last: Dovecot slows down whoever has just failed."""

from __future__ import annotations

import imaplib
import poplib
import smtplib

from provision.verify.outcome import require
from provision.verify.probes import clients
from provision.verify.probes.clients import conversation
from provision.verify.probes.place import HostPlace

_WRONG = "wrong-password-of-a-probe"
_HINT = "Anyone can log in: stop Dovecot and look at its passdb."


def submission_refuses(place: HostPlace) -> None:
    """A wrong password is refused on 465 for what it is."""
    with conversation("port 465"):
        client = clients.submission(place.door, 465)
        try:
            client.user, client.password = str(place.sites[0].mailbox), _WRONG
            client.ehlo()
            code, _ = client.auth("PLAIN", client.auth_plain)
        except smtplib.SMTPAuthenticationError as error:
            code = error.smtp_code
        client.close()
    require(code != 235, "465 took a wrong password", hint=_HINT)
    require(
        code == 535,
        f"465 answers a wrong password with {code}, not 535",
        hint="Postfix does not reach Dovecot's login service: look at both journals.",
    )


def imap_refuses(place: HostPlace) -> None:
    """A wrong password is refused by IMAP for what it is."""
    with conversation("port 993"):
        client = clients.imap(place.door)
        try:
            client.login(str(place.sites[0].mailbox), _WRONG)
            said = ""
        except imaplib.IMAP4.error as error:
            said = clients.words(error)
        client.shutdown()
    require(said, "993 took a wrong password", hint=_HINT)
    require(
        "AUTHENTICATIONFAILED" in said,
        f"993 answers a wrong password with: {said}",
        hint="Dovecot cannot look up users: look at `journalctl -u dovecot`.",
    )


def pop3_refuses(place: HostPlace) -> None:
    """A wrong password is refused by POP3."""
    with conversation("port 995"):
        client = clients.pop3(place.door)
        try:
            client.user(str(place.sites[0].mailbox))
            client.pass_(_WRONG)
            said = ""
        except poplib.error_proto as error:
            said = clients.words(error)
        client.close()
    require(said, "995 took a wrong password", hint=_HINT)
