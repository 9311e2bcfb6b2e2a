"""POP3 at a site; IMAP is used by delivery all the time."""

from __future__ import annotations

from provision.verify.probes import clients
from provision.verify.probes.line import Line


def imap_login(line: Line) -> None:
    """The probe mailbox logs in to IMAP on 993 and opens its inbox."""
    line.imap()


def pop3_login(line: Line) -> None:
    """The probe mailbox logs in to POP3 on 995 and counts its messages."""
    with clients.conversation("login on port 995"):
        client = clients.pop3(line.place.door)
        client.user(str(line.place.mailbox))
        client.pass_(line.place.password.reveal())
        client.stat()
        client.quit()
