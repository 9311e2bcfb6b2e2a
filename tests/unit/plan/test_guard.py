"""What nobody is likely to have meant is objected to, with its arithmetic."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace

import pytest

from provision.apply.permission import refused
from provision.model.accounts import AliasAccount, MailboxAccount, SiteAccounts
from provision.model.bundle import Bundle
from provision.plan.change import Action, HostPlan, Kind, Plan
from provision.plan.diff import diff_host
from provision.plan.guard import FLOOR, LIMIT_PERCENT
from provision.plan.objection import ALLOW_REMOVALS, ALLOW_UPDATES, Objection, Rule
from provision.plan.show import change_words, show_plan
from provision.plan.state import HostState
from tests.unit.plan.estate import HOST, mailbox, reply


def site(domain: str, mailboxes: int, *, aliases: int = 0) -> SiteAccounts:
    """A site with so many accounts besides the probe's mailbox, and that one."""
    people = [mailbox(f"m{number:03}@{domain}") for number in range(mailboxes)]
    return SiteAccounts(
        site=domain,
        domain_aliases=(),
        route="direct",
        nexthop="",
        mailboxes=(*people, mailbox(f"provision-probe@{domain}")),
        aliases=tuple(
            AliasAccount(f"a{n:03}@{domain}", (f"m000@{domain}",)) for n in range(aliases)
        ),
        catch_all=None,
    )


def planned(before: Sequence[SiteAccounts], after: Sequence[SiteAccounts]) -> HostPlan:
    """The plan of a host that has ``before`` and shall have ``after``."""
    wanted = {one.site: one.digest() for one in after}
    state = HostState.parse(
        reply(
            recorded={},
            files={},
            account_digests={one.site: one.digest() for one in before},
            accounts={
                one.site: base64.b64encode(one.document()).decode()
                for one in before
                if wanted.get(one.site) != one.digest()
            },
        )
    )
    return diff_host(Bundle.of(HOST, parts=(), accounts=tuple(after)), state)


def rules(plan: HostPlan) -> list[tuple[Rule, str]]:
    return [(objection.rule, objection.scope) for objection in plan.objections]


def without(one: SiteAccounts, count: int) -> SiteAccounts:
    return replace(one, mailboxes=one.mailboxes[count:])


def with_quota(one: SiteAccounts, count: int) -> SiteAccounts:
    changed = tuple(replace(box, quota=1) for box in one.mailboxes[:count])
    return replace(one, mailboxes=(*changed, *one.mailboxes[count:]))


BIG = site("big.example", 99)
OTHERS = [site(f"s{number}.example", 2) for number in range(9)]


def test_first_apply_of_many_accounts_is_no_reason_to_stop() -> None:
    assert planned([], [BIG, *OTHERS]).objections == ()


def test_thirty_percent_may_go_and_one_more_may_not() -> None:
    assert planned([BIG], [without(BIG, 30)]).objections == ()
    (objection,) = planned([BIG], [without(BIG, 31)]).objections
    assert (objection.rule, objection.flag) == (Rule.REMOVALS, ALLOW_REMOVALS)
    assert "31 of 100 accounts of mail1 would be removed (31.0 %" in objection.message
    assert f"the limit is {LIMIT_PERCENT} %" in objection.message


def test_thirty_percent_may_be_updated_and_one_more_needs_a_flag_of_its_own() -> None:
    assert planned([BIG], [with_quota(BIG, 30)]).objections == ()
    (objection,) = planned([BIG], [with_quota(BIG, 31)]).objections
    assert (objection.rule, objection.flag) == (Rule.UPDATES, ALLOW_UPDATES)


def test_below_the_floor_shares_say_nothing() -> None:
    few = site("few.example", FLOOR - 2)
    assert planned([few, *OTHERS], [without(few, 5), *OTHERS]).objections == ()
    enough = site("few.example", FLOOR - 1)
    plan = planned([enough, *OTHERS], [without(enough, 5), *OTHERS])
    assert rules(plan) == [(Rule.REMOVALS, "few.example")]


def test_aliases_count_as_accounts() -> None:
    one = site("one.example", 4, aliases=5)
    plan = planned([one], [replace(one, aliases=())])
    assert "5 of 10 accounts" in plan.objections[0].message


def test_site_is_judged_by_itself_where_the_host_is_within_the_limit() -> None:
    small = site("small.example", 10)
    plan = planned([BIG, small, *OTHERS], [BIG, without(small, 9), *OTHERS])
    assert rules(plan) == [(Rule.REMOVALS, "small.example")]


def test_removed_site_over_the_floor_needs_the_flag_and_a_small_one_does_not() -> None:
    small = site("small.example", 9)
    assert rules(planned([BIG, small, *OTHERS], [BIG, *OTHERS])) == [
        (Rule.REMOVALS, "small.example")
    ]
    assert planned([BIG, *OTHERS], [BIG, *OTHERS[1:]]).objections == ()


def test_emptied_host_is_refused_below_the_floor_too() -> None:
    plan = planned([site("tiny.example", 1)], [])
    assert rules(plan) == [(Rule.EMPTIED, "mail1")]
    assert "all of its sites (1 of 1)" in plan.objections[0].message


def test_host_without_a_mailbox_left_is_refused_although_its_sites_stay() -> None:
    tiny = site("tiny.example", 2)
    plan = planned([tiny], [replace(tiny, mailboxes=tiny.mailboxes[2:])])
    assert rules(plan) == [(Rule.EMPTIED, "mail1")]
    assert "2 of 2" in plan.objections[0].message


def test_halved_host_is_refused_with_the_arithmetic() -> None:
    tiny = [site(f"tiny{number}.example", 1) for number in range(4)]
    (objection,) = planned(tiny, tiny[:2]).objections
    assert (objection.rule, objection.flag) == (Rule.HALVED, ALLOW_REMOVALS)
    assert "2 of 4" in objection.message
    assert planned(tiny, tiny[:3]).objections == ()


def test_removed_site_is_shown_as_a_removal_of_all_that_it_has() -> None:
    plan = planned([BIG, *OTHERS], [BIG, *OTHERS[1:]])
    deleted = [(c.kind, c.name) for c in plan.changes if c.action is Action.DELETE]
    assert (Kind.SITE, "s0.example") in deleted
    assert sum(kind is Kind.MAILBOX for kind, _ in deleted) == 3
    words = [change_words(change) for change in plan.changes]
    assert "- site s0.example: delete (with 3 mailboxes and 0 aliases)" in words


def _protected(one: SiteAccounts, address: str) -> SiteAccounts:
    boxes: list[MailboxAccount] = [
        replace(box, protect=box.address == address) for box in one.mailboxes
    ]
    return replace(one, mailboxes=tuple(boxes))


def test_protected_mailbox_stays_and_no_flag_helps() -> None:
    kept = _protected(BIG, "m000@big.example")
    plan = planned([kept, *OTHERS], [without(BIG, 1), *OTHERS])
    (objection,) = plan.objections
    assert (objection.rule, objection.scope) == (Rule.PROTECTED, "m000@big.example")
    assert objection.flag == ""
    assert refused(Plan((plan,)), {ALLOW_REMOVALS, ALLOW_UPDATES})


@pytest.mark.parametrize("protected", ["site", "mailbox"])
def test_site_that_is_protected_or_holds_a_protected_mailbox_stays(protected: str) -> None:
    first = OTHERS[0]
    name = "m001@s0.example" if protected == "mailbox" else "s0.example"
    kept = _protected(first, name) if protected == "mailbox" else replace(first, protect=True)
    assert rules(planned([BIG, kept, *OTHERS[1:]], [BIG, *OTHERS[1:]])) == [(Rule.PROTECTED, name)]


def test_lifted_protection_is_a_change_of_its_own_and_removal_follows_it() -> None:
    kept = replace(OTHERS[0], protect=True)
    rest = [BIG, *OTHERS[1:]]
    lifting = planned([kept, *rest], [OTHERS[0], *rest])
    assert [change_words(change) for change in lifting.changes] == [
        "~ site s0.example: update (no longer protected)"
    ]
    assert lifting.objections == ()
    assert planned([OTHERS[0], *rest], rest).objections == ()


def test_new_protected_site_and_mailbox_are_shown_as_such() -> None:
    kept = replace(_protected(OTHERS[0], "m000@s0.example"), protect=True)
    words = [change_words(change) for change in planned([], [kept]).changes]
    assert "+ site s0.example: create (outgoing direct, protected)" in words
    assert "+ mailbox m000@s0.example: create (quota 2G, protected)" in words


def test_new_protection_is_shown() -> None:
    kept = _protected(OTHERS[0], "m000@s0.example")
    (change,) = planned([OTHERS[0]], [kept]).changes
    assert change_words(change) == "~ mailbox m000@s0.example: update (protected)"


def test_document_that_cannot_be_read_is_not_taken_for_an_empty_one() -> None:
    state = HostState.parse(
        reply(
            account_digests={one.site: one.digest() for one in (BIG, *OTHERS)} | {"x.example": "0"},
            accounts={"x.example": base64.b64encode(b"{").decode()},
        )
    )
    plan = diff_host(Bundle.of(HOST, parts=(), accounts=(BIG, *OTHERS)), state)
    assert rules(plan) == [(Rule.UNREADABLE, "x.example")]
    assert "every mailbox of it leaves" in " ".join(change_words(c) for c in plan.changes)


def test_objection_is_shown_with_the_flag_that_lets_it_pass() -> None:
    lines = [line.text for line in show_plan(Plan((planned([BIG], []),)))]
    assert "  ! mail1 loses all of its sites (1 of 1); apply needs --allow-removals" in lines


def test_one_objection_stops_every_host_until_it_is_allowed() -> None:
    unsafe = planned([BIG], [])
    safe = replace(planned([], [BIG]), host="mail2")
    quiet = HostPlan("mail3", 4, ())
    plan = Plan((unsafe, safe, quiet))
    outcomes = refused(plan, frozenset())
    assert [(outcome.host, outcome.word) for outcome in outcomes] == [
        ("mail1", "refused"),
        ("mail2", "refused"),
    ]
    assert outcomes[0].exit_code == 6
    assert outcomes[0].lines
    assert not outcomes[1].lines
    assert refused(plan, {ALLOW_UPDATES})
    assert refused(plan, {ALLOW_REMOVALS}) == ()


def test_objections_are_part_of_the_plan_and_of_its_digest() -> None:
    plan = planned([BIG], [])
    shown = plan.as_json()["objections"][0]
    assert shown["rule"] == "emptied"
    assert shown["flag"] == ALLOW_REMOVALS
    other = replace(plan, objections=(Objection(Rule.HALVED, "x", "y"),))
    assert other.digest() != plan.digest()
