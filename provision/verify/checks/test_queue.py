"""Postfix's queue: it moves, and nothing for our own mailboxes waits in it (postqueue(1), -j)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from provision.verify.backend import output
from provision.verify.outcome import require, require_none
from provision.verify.snapshot import Snapshot
from provision.verify.target import ReachedTarget

_LOOKED_AT = 2000
_MOVES_SECONDS = 600
"""A message stays this long in ``incoming`` or ``active`` only when nobody takes it out."""
_HINT = "Look at `postqueue -p`; when the cause is gone, `postqueue -f` delivers it at once."


def test_no_message_is_corrupt(snapshot: Snapshot) -> None:
    """The queue holds no corrupt message."""
    count = snapshot.queues["corrupt"]
    require(count == 0, f"{count} corrupt messages", hint="Look into /var/spool/postfix/corrupt.")


def test_queue_moves(host: Any, snapshot: Snapshot) -> None:
    """No message waits for Postfix's queue manager."""
    wrong = [
        f"{entry['queue_id']} has been {entry['queue_name']} for "
        f"{(snapshot.clock - entry['arrival_time']) / 60:.0f} minutes"
        for entry in _queue(host)
        if entry["queue_name"] in ("incoming", "active", "maildrop")
        and snapshot.clock - entry["arrival_time"] > _MOVES_SECONDS
    ]
    require_none(wrong, hint="Is the queue manager alive? Run `systemctl restart postfix`.")


def test_mail_for_own_mailboxes_is_delivered(host: Any, target: ReachedTarget) -> None:
    """No message for a mailbox of this host is put off."""
    fleet, here = target.target.fleet, target.target.host
    domains = {domain.name for site in fleet.sites_on(here) for domain in site.domains}
    wrong = [
        f"mail for {recipient['address']} waits: {recipient.get('delay_reason', 'no reason given')}"
        for entry in _queue(host)
        if entry["queue_name"] == "deferred"
        for recipient in entry["recipients"]
        if recipient["address"].rpartition("@")[2] in domains
    ]
    require_none(wrong, hint=_HINT)


def _queue(host: Any) -> Iterator[dict[str, Any]]:
    """The first messages of the queue; there may be many."""
    for line in output(host, f"postqueue -j | head -n {_LOOKED_AT}").splitlines():
        entry: dict[str, Any] = json.loads(line)
        yield entry
