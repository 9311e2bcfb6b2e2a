"""The documents of the commands that ask hosts: drift, status, history, mailbox list."""

from __future__ import annotations

from provision.contracts.shapes import (
    COUNT,
    MOMENT,
    TEXT,
    TEXTS,
    TRUTH,
    UNREACHED,
    Schema,
    about,
    array,
    document,
    keys,
    optional,
    or_null,
    words,
)
from provision.plan.change import Kind
from provision.plan.drift import Drifted

_HOLD = keys(who=TEXT, since=TEXT, until=TEXT, reason=TEXT, id=TEXT)


def _of_hosts(title: str, host: Schema, **more: Schema) -> Schema:
    return document(title, hosts=array(host), unreached=UNREACHED, **more)


def drift_schema() -> Schema:
    """What ``drift --format json`` prints."""
    finding = keys(
        kind=words(kind.word for kind in Kind),
        name=TEXT,
        what=words(Drifted),
        detail=TEXT,
        diff=about("From the generation to the host; secrets masked.", TEXT),
    )
    host = keys(host=TEXT, generation=COUNT, drift=array(finding))
    return _of_hosts("What drifted, as provision found it", host)


def history_schema() -> Schema:
    """What ``history --format json`` prints."""
    generation = keys(
        number=COUNT,
        when=TEXT,
        who=TEXT,
        commit=TEXT,
        previous=or_null(COUNT),
        rollback_of=or_null(COUNT),
        outcome=TEXT,
        message=TEXT,
        changes=keys(created=TEXTS, updated=TEXTS, removed=TEXTS),
    )
    host = keys(host=TEXT, current=COUNT, generations=array(generation))
    return _of_hosts("The generations of hosts", host)


def status_schema() -> Schema:
    """What ``status --format json`` prints."""
    pending = keys(unit=TEXT, verb=words(["start", "reload", "restart", "none"]))
    host = keys(
        host=TEXT,
        generation=COUNT,
        since=or_null(TEXT),
        who=or_null(TEXT),
        commit=or_null(TEXT),
        rollback_of=or_null(COUNT),
        last_apply=or_null({"type": "object"}),
        holder=or_null(
            keys(who=TEXT, since=TEXT, commit=TEXT, id=TEXT, address=TEXT, command=TEXT)
        ),
        hold=or_null(_HOLD),
        switch_interrupted=TRUTH,
        pending=array(pending),
        drift=about("How many things are not as the last apply left them.", COUNT),
    )
    left: Schema = {
        "description": "Hosts that are in fleet.yml no more, with the time of their last apply.",
        "type": "object",
        "additionalProperties": MOMENT,
    }
    return _of_hosts("Where hosts stand", host, left=left)


def hold_schema() -> Schema:
    """What ``hold --format json`` prints."""
    outcome = words(["held", "taken", "released", "free"])
    return _of_hosts("Holds of hosts", keys(host=TEXT, outcome=outcome, hold=or_null(_HOLD)))


def mailboxes_schema() -> Schema:
    """What ``mailbox list --format json`` prints, with ``--archived`` or without."""
    about_mail = {"host": TEXT, "address": TEXT, "messages": COUNT, "bytes": COUNT}
    mailbox = keys(**about_mail, quota=or_null(COUNT))
    archive = optional(
        keys(**about_mail, name=TEXT, removed=MOMENT, keep_until=MOMENT, expired=TRUTH),
        who=about("Who removed it; missing where nobody has written that down.", TEXT),
        commit=TEXT,
    )
    whole = document("Mailboxes or archives of hosts", unreached=UNREACHED)
    lists = {"mailboxes": array(mailbox), "archives": array(archive)}
    return {**optional(whole, **lists), "oneOf": [{"required": [name]} for name in lists]}
