"""A site under another domain is planned as a rename: no removal, no objection, no new password."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from provision.apply.request import HostWork
from provision.model.accounts import Move, SiteAccounts
from provision.plan.change import Action, HostPlan
from provision.plan.diff import diff_host
from provision.plan.objection import Rule
from provision.plan.show import change_words
from provision.plan.site_rename import as_if_called
from provision.plan.state import HostState
from tests.unit.plan.estate import ACME, desired, mailbox, reply

OLD = replace(ACME, protect=True)
MOVES = tuple(
    Move(f"{name}@new.example", f"{name}@acme.example", "hmac:11") for name in ("anna", "bob")
)
NEW = replace(as_if_called(OLD, "new.example"), moves=MOVES, moved_from="acme.example")


def _state(have: SiteAccounts = OLD, **changes: Any) -> HostState:
    document = base64.b64encode(have.document()).decode()
    digests = {have.site: have.digest()}
    prints = {m.address: m.fingerprint for m in have.mailboxes}
    told = {"accounts": {have.site: document}, "account_digests": digests, "fingerprints": prints}
    return HostState.parse(reply(**{**told, **changes}))


def _plan(site: SiteAccounts = NEW, have: SiteAccounts = OLD) -> HostPlan:
    return diff_host(desired(site=site), _state(have))


def _words(plan: HostPlan) -> list[str]:
    return [change_words(change) for change in plan.changes]


def test_rename_says_only_what_is_renamed() -> None:
    plan = _plan()
    assert _words(plan) == [
        "~ site new.example: rename (from acme.example)",
        "~ mailbox anna@new.example: rename (from anna@acme.example)",
        "~ mailbox bob@new.example: rename (from bob@acme.example)",
    ]
    assert plan.objections == ()


def test_what_else_changes_with_it_shows() -> None:
    extra = mailbox("eve@new.example")
    site = replace(
        NEW,
        domain_aliases=("acme.example",),
        mailboxes=(NEW.mailboxes[0], extra),
        aliases=(),
        moves=MOVES[:1],
    )
    assert _words(_plan(site)) == [
        "~ site new.example: rename (from acme.example; aliases none -> acme.example)",
        "~ mailbox anna@new.example: rename (from anna@acme.example)",
        "- mailbox bob@acme.example: delete (its mail, archived for 30 days)",
        "+ mailbox eve@new.example: create (quota 2G)",
        "- alias info@new.example: delete",
    ]


def test_mailbox_that_was_renamed_as_well_comes_along() -> None:
    robert = replace(NEW.mailboxes[1], address="robert@new.example")
    move = Move(robert.address, "bob@acme.example", "hmac:11")
    site = replace(NEW, mailboxes=(NEW.mailboxes[0], robert), moves=(MOVES[0], move))
    assert "~ mailbox robert@new.example: rename (from bob@acme.example)" in _words(_plan(site))


def test_protected_mailbox_that_does_not_come_along_is_objected_to() -> None:
    safe = replace(OLD, mailboxes=(OLD.mailboxes[0], replace(OLD.mailboxes[1], protect=True)))
    site = replace(NEW, mailboxes=NEW.mailboxes[:1], moves=MOVES[:1])
    assert (Rule.PROTECTED, "bob@new.example") in [
        (o.rule, o.scope) for o in _plan(site, safe).objections
    ]


def test_rename_that_is_done_is_no_change_though_the_line_stays() -> None:
    assert NEW.document() == replace(NEW, moves=(), moved_from="").document()
    done = {"new.example": NEW.digest()}
    assert diff_host(desired(site=NEW), HostState.parse(reply(account_digests=done))).is_empty


def test_site_whose_old_domain_the_host_has_not_is_a_new_one() -> None:
    plan = diff_host(desired(site=NEW), HostState.parse(reply(account_digests={})))
    assert {change.action for change in plan.changes} == {Action.CREATE}


def test_of_two_old_names_the_one_that_the_host_has_counts() -> None:
    later = Move("bob@new.example", "rob@new.example", "hmac:x")
    site = replace(NEW, moves=(later, *MOVES))
    state = _state()
    work = HostWork(desired(site=site), state, diff_host(desired(site=site), state))
    assert {move.origin for move in work.moves()} == {"anna@acme.example", "bob@acme.example"}
