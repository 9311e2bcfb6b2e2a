"""A plan tells how much mail leaves, what waits in the archive, and what is only renamed."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from dataclasses import replace
from typing import Any

import pytest

from provision.apply.passwords import Credentials, make_credentials
from provision.apply.request import HostWork, Stamp, pack
from provision.model.accounts import GENERATED, Move, SiteAccounts
from provision.model.fleet import Fleet
from provision.model.secret import Secret
from provision.plan.change import Action, HostPlan, Plan
from provision.plan.diff import diff_host
from provision.plan.objection import Rule
from provision.plan.show import change_words, show_plan
from provision.plan.state import HostState
from tests.unit.plan.estate import ACME, desired, mailbox, reply

ANNA, BOB = ACME.mailboxes
ROBERT = mailbox("robert@acme.example", fingerprint="hmac:robert")
MOVE = Move(ROBERT.address, BOB.address, BOB.fingerprint)
RENAMED = replace(ACME, mailboxes=(ANNA, ROBERT), moves=(MOVE,))


def _state(have: SiteAccounts = ACME, **changes: Any) -> HostState:
    document = base64.b64encode(have.document()).decode()
    return HostState.parse(
        reply(accounts={have.site: document}, account_digests={have.site: have.digest()}, **changes)
    )


def _plan(site: SiteAccounts, have: SiteAccounts = ACME, **changes: Any) -> HostPlan:
    return diff_host(desired(site=site), _state(have, **changes))


def _words(plan: HostPlan) -> list[str]:
    return [change_words(change) for change in plan.changes]


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ((312, 1288490189), "312 messages, 1.2G"),
        ((1, 900), "1 message, 900B"),
        ((0, 0), "no messages"),
        (None, "its mail"),
    ],
)
def test_removal_says_how_much_mail_leaves(held: tuple[int, int] | None, words: str) -> None:
    mail = {BOB.address: held} if held else {}
    plan = _plan(replace(ACME, mailboxes=(ANNA,)), mail=mail)
    assert _words(plan) == [f"- mailbox {BOB.address}: delete ({words}, archived for 30 days)"]


def test_mail_that_arrives_meanwhile_does_not_make_another_plan() -> None:
    less = _plan(replace(ACME, mailboxes=(ANNA,)), mail={BOB.address: (1, 9)})
    more = _plan(replace(ACME, mailboxes=(ANNA,)), mail={BOB.address: (2, 18)})
    assert less.changes == more.changes
    assert (less.digest(), Plan((less,)).digest()) == (more.digest(), Plan((more,)).digest())
    assert less.as_json()["changes"][0]["note"] == "1 message, 9B, archived for 30 days"


def test_new_mailbox_says_that_an_archive_waits() -> None:
    without = replace(ACME, mailboxes=(ANNA,))
    plan = _plan(ACME, have=without, archived={BOB.address: "20261123T190700Z"})
    assert _words(plan) == [
        (
            f"+ mailbox {BOB.address}: create (quota 2G; starts empty; mail of 2026-11-23 is"
            f" archived: provision mailbox restore {BOB.address})"
        )
    ]


def test_rename_is_one_change_and_neither_create_nor_delete() -> None:
    plan = _plan(RENAMED)
    assert _words(plan) == [f"~ mailbox {ROBERT.address}: rename (from {BOB.address})"]
    lines = [line.text for line in show_plan(Plan((plan,)))]
    assert lines[-1].startswith("Plan: 0 to create, 0 to update, 0 to delete, 1 to rename on 1")


def test_what_else_changes_with_a_rename_shows() -> None:
    larger = replace(ROBERT, quota=5 * 1024**3)
    other = replace(MOVE, fingerprint="hmac:other")
    site = replace(RENAMED, mailboxes=(ANNA, larger), moves=(other,))
    assert _words(_plan(site)) == [
        (
            f"~ mailbox {ROBERT.address}: rename (from {BOB.address}; password (secret changed);"
            " quota 2G -> 5G)"
        )
    ]


def test_rename_that_is_done_is_no_change_though_the_key_stays() -> None:
    assert RENAMED.document() == replace(RENAMED, moves=()).document()
    done = {"acme.example": RENAMED.digest()}
    assert diff_host(desired(site=RENAMED), HostState.parse(reply(account_digests=done))).is_empty


def test_rename_onto_a_mailbox_that_is_there_archives_the_old_one_and_says_so() -> None:
    both = replace(ACME, mailboxes=(ANNA, BOB, ROBERT))
    (change,) = _plan(RENAMED, have=both).changes
    assert (change.name, change.action) == (BOB.address, Action.DELETE)
    assert change.note.endswith(f"no rename, for {ROBERT.address} is there already")


def test_rename_of_what_the_host_has_not_is_a_new_mailbox() -> None:
    plan = _plan(RENAMED, have=replace(ACME, mailboxes=(ANNA,)))
    assert [(change.name, change.action) for change in plan.changes] == [
        (ROBERT.address, Action.CREATE)
    ]


def test_protected_mailbox_may_be_renamed() -> None:
    safe = replace(ACME, mailboxes=(ANNA, replace(BOB, protect=True)))
    site = replace(RENAMED, mailboxes=(ANNA, replace(ROBERT, protect=True)))
    assert _plan(site, have=safe).objections == ()


def test_protected_mailbox_whose_rename_has_no_effect_does_not_leave() -> None:
    both = replace(ACME, mailboxes=(ANNA, replace(BOB, protect=True), ROBERT))
    (objection,) = _plan(RENAMED, have=both).objections
    assert (objection.rule, objection.scope) == (Rule.PROTECTED, BOB.address)


@pytest.mark.parametrize(
    ("fingerprint", "origin", "held"),
    [("hmac:robert", BOB.fingerprint, BOB.fingerprint), (GENERATED, GENERATED, "hmac:old")],
)
def test_renamed_mailbox_keeps_its_password_without_a_new_hash(
    fingerprint: str, origin: str, held: str
) -> None:
    fleet = Fleet("test", (), (), (), Secret("k"))
    entry = replace(ROBERT, fingerprint=fingerprint)
    state = _state(fingerprints={BOB.address: held})
    move = replace(MOVE, fingerprint=origin)
    made = make_credentials(fleet, {"acme.example": (entry,)}, state, moves=(move,))
    assert (made.hashes, made.generated) == ({}, {})


def test_host_is_told_the_move_and_what_the_archive_shall_say() -> None:
    state = _state()
    bundle = desired(site=RENAMED)
    work = HostWork(bundle, state, diff_host(bundle, state))
    packed = pack(work, Credentials({}, {}), Stamp("ada@desk", "2026-11-23T19:07:00Z", "abc"))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        member = archive.extractfile("request.json")
        assert member
        accounts = json.loads(member.read())["accounts"]
    assert accounts["moves"] == {
        ROBERT.address: {"from": BOB.address, "fingerprint": BOB.fingerprint}
    }
    assert accounts["removal"] == {"who": "ada@desk", "commit": "abc", "keep_seconds": 2592000}
