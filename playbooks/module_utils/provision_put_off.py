"""Deliver at once what Postfix could not hand over while Dovecot was being moved.

A delivery whose connection is lost would be tried again after minutes only (postconf(5),
minimal_backoff_time).
"""

from __future__ import annotations

import json

from .provision_commands import run
from .provision_probes import dovecot_doors
from .provision_steps import Steps

_MOST = 100
_SECONDS = 20.0


def retry_put_off() -> None:
    """Ask Postfix to try mail for our mailboxes now (postqueue(1)); without Postfix, nothing.

    Up to a hundred messages are named one by one; beyond that the whole queue is asked for.
    """
    Steps.before("retry deliveries that were put off")
    doors = [str(door.address) for door in dovecot_doors() if isinstance(door.address, str)]
    queue = run("postqueue", "-j", seconds=_SECONDS)
    if queue.status != 0:
        return
    waiting = put_off(queue.output, doors)
    if len(waiting) > _MOST:
        run("postqueue", "-f")
        return
    for queue_id in waiting:
        run("postqueue", "-i", queue_id)


def put_off(listing: str, doors: list[str]) -> list[str]:
    """Queue IDs of the messages in ``listing`` (``postqueue -j``) that a socket did not take."""
    messages = [json.loads(line) for line in listing.splitlines()]
    return [
        message["queue_id"]
        for message in messages
        if message["queue_name"] == "deferred" and _names_one(message["recipients"], doors)
    ]


def _names_one(recipients: list[dict[str, str]], doors: list[str]) -> bool:
    reasons = [recipient.get("delay_reason", "") for recipient in recipients]
    return any(f"[{door}]" in reason for reason in reasons for door in doors)
