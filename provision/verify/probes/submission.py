"""Submission: a mailbox may send as itself, and as nobody else (RFC 6409, RFC 8314)."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence

from provision.verify.outcome import Fault, require, require_none
from provision.verify.probes.clients import conversation, text
from provision.verify.probes.line import Line
from provision.verify.probes.place import OUTSIDE

_FOREIGN = "somebody@example.net"


def login_465(line: Line) -> None:
    """The probe mailbox logs in on 465 and may send."""
    _require_may_send(line, 465)


def login_587(line: Line) -> None:
    """The probe mailbox logs in on 587 after STARTTLS and may send."""
    _require_may_send(line, 587)


def foreign_sender_refused(line: Line) -> None:
    """A login cannot send as somebody of another site or elsewhere."""
    neighbour = line.place.neighbour
    others = [_FOREIGN] if neighbour is None else [_FOREIGN, str(neighbour.mailbox)]
    _require_refused(line, 465, others)


def neighbours_sender_refused(line: Line) -> None:
    """A login cannot send as another address of its own site."""
    domain = line.place.site.domain
    _require_refused(line, 587, [f"postmaster@{domain}", f"provision-nobody@{domain}"])


def outside_refused(line: Line) -> None:
    """The site sends nothing out: a recipient elsewhere is refused in session."""
    code, said = _answer(line.submission(465), str(line.place.mailbox), OUTSIDE)
    require(
        500 <= code < 600,
        f"`outgoing: none`, but mail to {OUTSIDE} was answered {code} {said}",
        hint="The site's mail would leave or bounce: run `provision plan`.",
    )


def outside_accepted(line: Line) -> None:
    """The site may send out: a recipient elsewhere is accepted."""
    code, said = _answer(line.submission(465), str(line.place.mailbox), OUTSIDE)
    require(
        code < 400,
        f"mail to {OUTSIDE} was answered {code} {said}",
        hint=f"The site's route is {line.place.site.outgoing.route}: run `provision plan`.",
    )


def _require_refused(line: Line, port: int, forged: Sequence[str]) -> None:
    """At most two, or Postfix begins to slow the session down (smtpd_soft_error_limit)."""
    client = line.submission(port)
    own = str(line.place.mailbox)
    accepted = [sender for sender in forged if _answer(client, sender, own)[0] < 400]
    require_none(
        [f"the probe mailbox may send as {sender}" for sender in accepted],
        hint="smtpd_sender_restrictions of submission must hold reject_sender_login_mismatch.",
    )


def _require_may_send(line: Line, port: int) -> None:
    own = str(line.place.mailbox)
    code, said = _answer(line.submission(port), own, own)
    require(
        code < 400,
        f"after the login, mail from {own} to itself was answered {code} {said}",
        hint="Look at `journalctl -u postfix` on the host.",
    )


def _answer(client: smtplib.SMTP, sender: str, recipient: str) -> tuple[int, str]:
    """What MAIL and RCPT were answered; no message follows. Postfix refuses at RCPT."""
    with conversation(f"mail from {sender} to {recipient}"):
        code, said = client.mail(sender)
        if code < 400:
            code, said = client.rcpt(recipient)
        client.rset()
    if code == 421:
        raise Fault(f"the connection was ended: {code} {text(said)}")
    return code, text(said)
