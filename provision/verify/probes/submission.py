"""Submission: a mailbox may send as itself, and as nobody else (RFC 6409, RFC 8314)."""

from __future__ import annotations

import smtplib

from provision.model.fleet import Route
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


def forged_sender_refused(line: Line) -> None:
    """A sender that is not the login's own is refused."""
    site = line.place.site
    forged = [_FOREIGN, f"postmaster@{site.domain}", f"provision-nobody@{site.domain}"]
    if line.place.neighbour is not None:
        forged.append(str(line.place.neighbour.mailbox))
    client = line.submission(465)
    own = str(line.place.mailbox)
    accepted = [sender for sender in forged if _answer(client, sender, own)[0] < 400]
    require_none(
        [f"the probe mailbox may send as {sender}" for sender in accepted],
        hint="smtpd_sender_restrictions of submission must hold reject_sender_login_mismatch.",
    )


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


def outside_probe(route: Route) -> object:
    """The probe that fits a site's route."""
    return outside_refused if route is Route.NONE else outside_accepted


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
