"""Whether a host serves mail and webmail, asked as its neighbours and customers would.

A greeting proves little: a service can greet and answer 451 to all mail, or refuse every login for
want of a readable file. So a recipient of our own is offered and taken back, and Dovecot is asked
about the same address. Nothing is delivered, and no password is needed.
"""

from __future__ import annotations

import contextlib
import itertools
import smtplib
import ssl
import time

from .provision_account_documents import stored_mailboxes
from .provision_account_store import Layout as AccountLayout
from .provision_account_store import sites_in
from .provision_commands import run
from .provision_probes import dovecot_doors, postfix_doors, probe_unit
from .provision_units import Failure, unit_log

_SECONDS = 5.0
_TRIES = 4
"""Patience is short: until the proof has failed, a bad configuration is live."""
_ANSWER_SECONDS = 10.0
_NAME = "localhost"
"""Said in EHLO; smtplib would ask the name server otherwise."""
_PROBE = "provision-probe@"
_UNKNOWN_USER = 67
"""EX_NOUSER of doveadm(1); any other status than 0 is a look-up that failed."""


def problems(units: list[str], accounts: AccountLayout) -> dict[str, str]:
    """Each unit to what is wrong with it as one sentence; an empty text for one that serves."""
    recipient = known_recipient(accounts)
    return {unit: _problem(unit, recipient) for unit in units}


def require_service(units: list[str], accounts: AccountLayout, before: dict[str, str]) -> None:
    """Raise Failure when a unit that served before does not serve within seconds.

    Only what worked can be broken by an apply: one that is to mend a host must be able to.
    """
    expected = [unit for unit in units if not before.get(unit)]
    deadline = time.monotonic() + _SECONDS
    for tried in itertools.count(1):
        failing = [(unit, said) for unit, said in problems(expected, accounts).items() if said]
        if not failing:
            return
        if time.monotonic() > deadline and tried >= _TRIES:
            unit, said = failing[0]
            raise Failure(f"{unit}: {said}", unit_log(unit, 12))
        time.sleep(0.5)


def known_recipient(accounts: AccountLayout) -> str:
    """An address that the host must take mail for; empty when it has none."""
    for site in sites_in(accounts):
        for address in stored_mailboxes(accounts, site) or {}:
            if address.startswith(_PROBE):
                return address
    return ""


def _problem(unit: str, recipient: str) -> str:
    said = probe_unit(unit)
    if said or not recipient:
        return said
    if unit.startswith("postfix"):
        return _mail_problem(recipient) or _submission_problem()
    if unit.startswith("dovecot"):
        return _delivery_problem(recipient) or _look_up_problem(recipient)
    return ""


def _mail_problem(recipient: str) -> str:
    """What port 25 says to mail for one of ours, over TLS."""
    try:
        with smtplib.SMTP("127.0.0.1", 25, _NAME, timeout=_ANSWER_SECONDS) as client:
            client.starttls(context=_any_certificate())
            client.ehlo()
            code, said = client.mail("")
            if code < 400:
                code, said = client.rcpt(recipient)
    except (OSError, smtplib.SMTPException) as error:
        return f"port 25 takes no mail: {error}"
    if code < 400:
        return ""
    return f"port 25 answers {code} {said.decode('utf-8', 'replace')} to mail for {recipient}"


def _submission_problem() -> str:
    """Whether people can log in to send: AUTH must be offered under TLS (RFC 4954)."""
    for port in (door.address for door in postfix_doors() if door.address in (465, 587)):
        try:
            offered = _offers_login(int(port))
        except (OSError, smtplib.SMTPException) as error:
            return f"port {port} does not serve: {error}"
        if not offered:
            return f"port {port} offers no login"
    return ""


def _offers_login(port: int) -> bool:
    client: smtplib.SMTP
    if port == smtplib.SMTP_SSL_PORT:
        context = _any_certificate()
        client = smtplib.SMTP_SSL(
            "127.0.0.1", port, _NAME, timeout=_ANSWER_SECONDS, context=context
        )
    else:
        client = smtplib.SMTP("127.0.0.1", port, _NAME, timeout=_ANSWER_SECONDS)
        client.starttls(context=_any_certificate())
    with client:
        client.ehlo()
        return client.has_extn("auth")


def _delivery_problem(recipient: str) -> str:
    """What the LMTP service says to mail for one of ours (RFC 2033)."""
    for path in (door.address for door in dovecot_doors() if isinstance(door.address, str)):
        client = smtplib.LMTP("", local_hostname=_NAME, timeout=_ANSWER_SECONDS)
        try:
            client.connect(str(path))
            client.ehlo()
            client.mail("")
            code, said = client.rcpt(recipient)
        except (OSError, smtplib.SMTPException) as error:
            return f"{path} takes no mail: {error}"
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                client.quit()
        if code >= 400:
            return f"{path} answers {code} {said.decode('utf-8', 'replace')} for {recipient}"
    return ""


def _look_up_problem(recipient: str) -> str:
    """Whether logins can be looked up; Postfix answers 535 to every password otherwise."""
    asked = run("doveadm", "auth", "lookup", recipient, seconds=_ANSWER_SECONDS)
    if asked.status == 0:
        return ""
    if asked.status == _UNKNOWN_USER:
        return f"no login is known of {recipient}"
    return f"logins cannot be looked up: {' '.join(asked.errors.split())[:200]}"


def _any_certificate() -> ssl.SSLContext:
    """The question is whether TLS works; verify asks for names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
