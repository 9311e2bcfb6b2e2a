"""Delivery: a message to each kind of address arrives, is read, and is deleted again."""

from __future__ import annotations

import email.policy
import imaplib
import time
import uuid
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime, localtime

from provision.model.address import Address
from provision.model.probe import PROBE_QUOTA
from provision.verify.outcome import NotTried, require, require_none
from provision.verify.probes.clients import conversation, text
from provision.verify.probes.line import Line

_ARRIVE_SECONDS = 20.0
_LOOK_EVERY = 0.1
_MARK = "X-Provision-Probe"
_QUEUE_HINT = "Look at `postqueue -p` and `journalctl -u postfix` on the host."


def own_address_receives(line: Line) -> None:
    """A message that the probe mailbox sends to itself arrives."""
    _require_arrival(line, [str(line.place.mailbox)])


def plus_address_receives(line: Line) -> None:
    """A message to a plus-address of the probe mailbox arrives."""
    own = line.place.mailbox
    _require_arrival(line, [f"{own.local}+detail@{own.domain}"])


def domain_aliases_receive(line: Line) -> None:
    """A message to the same mailbox in each domain alias arrives."""
    place = line.place
    aliases = [str(Address(domain, place.mailbox.local)) for domain in place.site.domain_aliases]
    _require_arrival(line, aliases)


def world_reaches_site(line: Line) -> None:
    """A message from the world, without a login, arrives through port 25 over TLS."""
    own = str(line.place.mailbox)
    line.require_delivery()
    client = line.stranger()
    with conversation("a message through port 25"):
        client.sendmail("", [own], _message(line, own, "world"))
    _require_found(line, line.imap(), {f"{line.token}-world": own})


def neighbour_receives(line: Line) -> None:
    """A message to another site on the same host arrives there."""
    neighbour = line.place.neighbour
    if neighbour is None:
        raise NotTried("there is no other site on this host")
    recipient = str(neighbour.mailbox)
    _send(line, recipient, "neighbour")
    client = line.neighbour_imap(neighbour)
    _require_found(line, client, {f"{line.token}-neighbour": recipient})


def unknown_recipient_refused(line: Line) -> None:
    """Mail to an address that does not exist is refused at RCPT."""
    code, said = _rcpt_from_world(line, f"provision-nobody@{line.place.site.domain}")
    require(
        code == 550,
        f"an unknown address was answered {code} {said}",
        hint="Mail that is taken and bounced later goes to forged senders.",
    )


def too_large_for_the_mailbox_refused(line: Line) -> None:
    """Mail that announces more than a whole mailbox holds is refused at RCPT."""
    code, said = _rcpt_from_world(line, str(line.place.mailbox), size=PROBE_QUOTA.bytes + 1)
    require(
        code in (452, 552),
        f"a message larger than the mailbox was answered {code} {said}",
        hint="Quotas are not enforced: Postfix must ask Dovecot's quota service.",
    )


def catch_all_accepts(line: Line) -> None:
    """Mail to any address of the site is accepted for its catch-all."""
    code, said = _rcpt_from_world(line, f"provision-nobody@{line.place.site.domain}")
    require(code < 400, f"an unknown address was answered {code} {said}", hint=_QUEUE_HINT)


def quota_is_visible(line: Line) -> None:
    """IMAP shows the mailbox's quota (RFC 9208)."""
    client = line.imap()
    with conversation("GETQUOTAROOT"):
        _, answer = client.getquotaroot("INBOX")
    limits = " ".join(text(part) for part in answer[-1] if part)
    require("STORAGE" in limits, "no STORAGE limit is shown", hint="The quota plugin is off.")


def leaves_nothing_behind(line: Line) -> None:
    """The probe mailbox is empty again."""
    client = line.imap()
    with conversation("clearing the probe mailbox"):
        _, found = client.uid("SEARCH", "HEADER", _MARK, line.token)
        _delete(client, found[0].split())
        _, old = client.uid("SEARCH", "HEADER", _MARK, '""', "BEFORE", _yesterday())
        _delete(client, old[0].split())
        _, left = client.uid("SEARCH", "HEADER", _MARK, line.token)
    require(not left[0], "probe messages could not be deleted", hint="Is the disk read-only?")


def _require_arrival(line: Line, recipients: Sequence[str]) -> None:
    for recipient in recipients:
        _send(line, recipient, recipient)
    _require_found(line, line.imap(), {f"{line.token}-{name}": name for name in recipients})


def _send(line: Line, recipient: str, mark: str) -> None:
    line.require_delivery()
    client = line.submission(465)
    with conversation(f"sending to {recipient}"):
        own = str(line.place.mailbox)
        client.sendmail(own, [recipient], _message(line, recipient, mark))


def _message(line: Line, recipient: str, mark: str) -> bytes:
    message = EmailMessage()
    message["From"] = str(line.place.mailbox)
    message["To"] = recipient
    message["Subject"] = "A probe of provision verify; safe to delete"
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{uuid.uuid4().hex}@{line.place.mailbox.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message[_MARK] = f"{line.token}-{mark}"
    message.set_content("Sent and read back by `provision verify`.\n")
    return message.as_bytes(policy=email.policy.SMTP)


def _require_found(line: Line, client: imaplib.IMAP4, missing: dict[str, str]) -> None:
    """Wait for the messages of these marks; the values say to whom they were sent."""
    deadline = time.monotonic() + _ARRIVE_SECONDS
    while missing and time.monotonic() < deadline:
        with conversation("looking for the message"):
            client.noop()
            for mark in list(missing):
                _, found = client.uid("SEARCH", "HEADER", _MARK, f'"{mark}"')
                if found[0]:
                    _delete(client, found[0].split())
                    del missing[mark]
        if missing:
            time.sleep(_LOOK_EVERY)
    if missing:
        line.delivery_failed()
    require_none(
        [
            f"a message to {recipient} did not arrive within {_ARRIVE_SECONDS:.0f} s"
            for recipient in missing.values()
        ],
        hint=_QUEUE_HINT,
    )


def _delete(client: imaplib.IMAP4, uids: Sequence[bytes]) -> None:
    for uid in uids:
        client.uid("STORE", uid.decode(), "+FLAGS", r"(\Deleted)")
    if uids:
        client.expunge()


def _rcpt_from_world(line: Line, recipient: str, *, size: int = 0) -> tuple[int, str]:
    client = line.stranger()
    with conversation("a recipient on port 25"):
        code, said = client.mail("", [f"SIZE={size}"] if size else ())
        if code < 400:
            code, said = client.rcpt(recipient)
        client.rset()
    return code, text(said)


def _yesterday() -> str:
    return time.strftime("%d-%b-%Y", time.gmtime(time.time() - 86400))
