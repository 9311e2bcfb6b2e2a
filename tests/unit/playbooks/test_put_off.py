"""Which messages of a queue a socket of Dovecot did not take."""

from __future__ import annotations

import json

from ansible.module_utils.provision_put_off import put_off

DOOR = "/run/dovecot/postfix-lmtp"
LOST = f"lost connection with mail1.example[{DOOR}] while receiving the initial server greeting"
REFUSED = f"connect to mail1.example[{DOOR}]: Connection refused"
ABROAD = "connect to mx.example[192.0.2.1]:25: Connection refused"


def _message(queue_id: str, *reasons: str, queue: str = "deferred") -> str:
    recipients = [{"address": f"{n}@b.example", "delay_reason": r} for n, r in enumerate(reasons)]
    return json.dumps({"queue_name": queue, "queue_id": queue_id, "recipients": recipients})


def test_only_mail_that_waits_for_dovecot_is_named() -> None:
    listing = [
        _message("lost", LOST),
        _message("abroad", ABROAD),
        _message("both", ABROAD, REFUSED),
        _message("held", LOST, queue="hold"),
        json.dumps(
            {"queue_name": "active", "queue_id": "now", "recipients": [{"address": "a@b.example"}]}
        ),
    ]
    assert put_off("\n".join(listing), [DOOR]) == ["lost", "both"]


def test_nothing_is_named_for_an_empty_queue_or_without_a_socket() -> None:
    assert put_off("", [DOOR]) == []
    assert put_off(_message("lost", LOST), []) == []
