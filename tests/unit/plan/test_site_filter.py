"""A plan of one site shows that site alone and says that it is partial."""

from __future__ import annotations

from provision.plan.change import Action, Change, HostPlan, Kind, Plan, UnitAction
from provision.plan.show import show_plan
from provision.plan.site_filter import only_site, sites_of

ACME = "acme.example"
LONGER = "acme.example.com"


def _file(name: str) -> Change:
    return Change(Kind.FILE, f"/etc/nginx/provision/webmail-{name}.conf", Action.UPDATE)


PLAN = Plan(
    (
        HostPlan(
            "mail1",
            4,
            (
                Change(Kind.PACKAGE, "postfix", Action.CREATE),
                _file(ACME),
                _file(LONGER),
                _file("my-acme.example"),
                Change(Kind.FILE, "/etc/postfix/main.cf", Action.UPDATE),
                Change(Kind.SITE, LONGER, Action.UPDATE),
                Change(Kind.MAILBOX, f"anna@{ACME}", Action.CREATE),
                Change(Kind.ALIAS, f"info@{LONGER}", Action.CREATE),
            ),
            (
                UnitAction("nginx.service", "reload", (_file(ACME).name, _file(LONGER).name)),
                UnitAction("postfix.service", "reload", ("/etc/postfix/main.cf",)),
            ),
        ),
        HostPlan("mail2", 1, (Change(Kind.FILE, "/etc/postfix/main.cf", Action.UPDATE),)),
    )
)
KNOWN = {ACME, LONGER, "my-acme.example"}


def test_only_accounts_and_files_of_the_site_are_shown() -> None:
    (host,) = only_site(PLAN, ACME, known=KNOWN).hosts
    assert [change.name for change in host.changes] == [_file(ACME).name, f"anna@{ACME}"]
    assert [(a.unit, a.why) for a in host.unit_actions] == [("nginx.service", (_file(ACME).name,))]


def test_file_belongs_to_the_longest_site_that_it_names() -> None:
    (host,) = only_site(PLAN, LONGER, known=KNOWN).hosts
    assert [change.name for change in host.of_kind(Kind.FILE)] == [_file(LONGER).name]


def test_plan_of_a_site_says_that_it_is_partial() -> None:
    plan = only_site(PLAN, ACME, known=KNOWN)
    assert not plan.as_json()["complete"]
    lines = [line.text for line in show_plan(plan)]
    assert f"This plan is partial: only what concerns {ACME}; an apply does all of a host." in lines


def test_sites_that_hosts_still_have_can_be_asked_for() -> None:
    assert sites_of(PLAN) == {ACME, LONGER}
