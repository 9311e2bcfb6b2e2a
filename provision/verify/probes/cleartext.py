"""Without TLS no password is taken: the port is closed, or it refuses (RFC 8314)."""

from __future__ import annotations

import imaplib
import poplib

from provision.verify.outcome import require
from provision.verify.probes import clients
from provision.verify.probes.clients import conversation, text
from provision.verify.probes.place import HostPlace

_PASSWORD = "not-a-password"  # noqa: S105 - sent in clear on purpose
_HINT = "Whoever listens on the way could read passwords."


def submission_needs_tls(place: HostPlace) -> None:
    """Before STARTTLS port 587 offers no login, refuses one, and takes no mail."""
    with conversation("port 587"):
        client = clients.smtp(place.door, 587)
        client.ehlo()
        offered = client.has_extn("auth")
        login, _ = client.docmd("AUTH", "PLAIN AGEAYg==")
        mail, said = client.docmd("MAIL", "FROM:<>")
        client.quit()
    require(not offered, "587 offers AUTH without TLS", hint=_HINT)
    require(login >= 500, f"587 answers AUTH without TLS with {login}", hint=_HINT)
    require(mail >= 500, f"587 answers MAIL without TLS with {mail} {text(said)}", hint=_HINT)


def imap_needs_tls(place: HostPlace) -> None:
    """IMAP without TLS takes no login."""
    try:
        client = clients.cleartext_imap(place.door)
    except OSError:
        return
    with conversation("port 143"):
        offered = "LOGINDISABLED" not in client.capabilities
        accepted = _is_accepted(client)
        client.shutdown()
    require(not offered, "143 does not say LOGINDISABLED", hint=_HINT)
    require(not accepted, "143 took a login without TLS", hint=_HINT)


def pop3_needs_tls(place: HostPlace) -> None:
    """POP3 without TLS takes no login."""
    try:
        client = clients.cleartext_pop3(place.door)
    except OSError:
        return
    with conversation("port 110"):
        try:
            client.user("provision-probe")
            refused = ""
        except poplib.error_proto as error:
            refused = clients.words(error)
        client.close()
    require(refused, "110 asks for a password without TLS", hint=_HINT)


def sieve_needs_tls(place: HostPlace) -> None:
    """ManageSieve offers no login before STARTTLS (RFC 5804)."""
    try:
        connection = place.door.connect(4190)
    except OSError:
        return
    with conversation("port 4190"), connection, connection.makefile("rb") as answer:
        greeting: list[str] = []
        while not greeting or not greeting[-1].startswith(("OK", "NO", "BYE")):
            line = answer.readline()
            require(line, "4190 closed the connection without a greeting")
            greeting.append(text(line).upper())
    offered = [line for line in greeting if line.startswith('"SASL"') and line != '"SASL" ""']
    require(not offered, f"4190 offers {' '.join(offered)} without TLS", hint=_HINT)
    require('"STARTTLS"' in greeting, "4190 offers no STARTTLS", hint=_HINT)


def _is_accepted(client: imaplib.IMAP4) -> bool:
    """True unless the login was refused for want of TLS (RFC 5530, PRIVACYREQUIRED)."""
    try:
        client.login("provision-probe", _PASSWORD)
    except imaplib.IMAP4.error as error:
        return "PRIVACYREQUIRED" not in clients.words(error)
    return True
