"""What left the spec is planned as a removal, is guarded, and stays where others need it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from provision.plan.change import Action, HostPlan, Kind, Plan
from provision.plan.diff import diff_host
from provision.plan.drift import find_drift
from provision.plan.generations import Manifest
from provision.plan.objection import ALLOW_REMOVALS, TAKE_OVER, Rule
from provision.plan.rollback import plan_rollback
from provision.plan.show import change_words, show_plan
from provision.plan.state import HostState
from tests.unit.plan.estate import MAIN, desired, leaving, reply
from tests.unit.plan.memories import manifest, memory

RUNNING = {"load": "loaded", "active": "active", "sub": "running", "enabled": "enabled"}
GONE = {"load": "not-found", "active": "inactive", "sub": "dead", "enabled": ""}


def _plan(*, states: dict[str, Any] | None = None, **left: Any) -> HostPlan:
    states = {**reply()["units"], **(states or {})}
    return diff_host(desired(), HostState.parse(reply(leaving=leaving(**left), units=states)))


def _words(plan: HostPlan) -> list[str]:
    return [change_words(change) for change in plan.changes]


def test_every_kind_leaves_in_the_order_of_a_plan() -> None:
    plan = _plan(
        states={"old.service": RUNNING},
        units=["old.service"],
        packages={"old": []},
        users=["olduser"],
        directories=["/etc/provision/old"],
    )
    assert _words(plan) == [
        "- package old: delete (its data stays)",
        "- user olduser: delete (unless something on the host is its own)",
        "- directory /etc/provision/old: delete",
        "- unit old.service: delete (stop, disable)",
    ]
    assert plan.unit_actions == ()


def test_unit_that_is_gone_already_is_no_change() -> None:
    assert _plan(states={"old.service": GONE}, units=["old.service"]).is_empty


def test_file_that_leaves_with_its_unit_reloads_nothing() -> None:
    path = "/etc/old.conf"
    entry = {**reply()["recorded"][MAIN.path], "activations": [["old.service", 2]]}
    state = HostState.parse(
        reply(
            recorded={**reply()["recorded"], path: entry},
            files={**reply()["files"], path: reply()["files"][MAIN.path]},
            units={**reply()["units"], "old.service": RUNNING},
            leaving=leaving(units=["old.service"]),
        )
    )
    plan = diff_host(desired(), state)
    assert [(c.kind, c.action) for c in plan.changes] == [
        (Kind.FILE, Action.DELETE),
        (Kind.UNIT, Action.DELETE),
    ]
    assert plan.unit_actions == ()


def test_package_that_others_need_is_no_change_and_is_said() -> None:
    plan = _plan(packages={"old": ["kept needs it"]})
    assert plan.is_empty
    shown = [line.text for line in show_plan(Plan((plan,)))]
    assert shown[0] == "Note: mail1: package old stays: kept needs it"
    assert plan.as_json()["stays"] == ["package old stays: kept needs it"]
    assert plan.digest() == replace(plan, stays=()).digest()


def _objections(existing: int, gone: int) -> list[tuple[Rule, str]]:
    left = leaving(packages={f"p{number}": [] for number in range(gone)})
    plan = diff_host(desired(), HostState.parse(reply(leaving=left, existing=existing)))
    return [(objection.rule, objection.flag) for objection in plan.objections]


def test_dismantling_a_host_is_objected_to() -> None:
    assert _objections(10, 4) == [(Rule.REMOVALS, ALLOW_REMOVALS)]
    assert _objections(10, 3) == []
    assert _objections(9, 9) == []


def test_host_of_another_fleet_is_objected_to() -> None:
    ours = replace(desired(), fleet="ours")
    plan = diff_host(ours, HostState.parse(reply(fleet="theirs")))
    assert [(o.rule, o.flag) for o in plan.objections] == [(Rule.OWNER, TAKE_OVER)]
    for known in ("ours", ""):
        assert diff_host(ours, HostState.parse(reply(fleet=known))).objections == ()


def test_rollback_brings_packages_and_users_back_and_stops_what_is_newer() -> None:
    base = manifest(users={"vmail": ["/var/mail/provision", []], "old": ["/srv/old", ["mail"]]})
    remembered = memory(
        {
            "packages": {"postfix": "1", "postfix-cdb": "1"},
            "units": {**reply()["units"], "new.service": RUNNING},
            "leaving": leaving(units=["new.service"]),
        },
        base=base,
    )
    plan = plan_rollback("mail1", remembered)
    assert _words(plan) == [
        "+ package dovecot-imapd: create",
        "+ user old: create (home /srv/old)",
        "- unit new.service: delete (stop, disable)",
    ]
    assert plan.unit_actions == ()


def test_user_that_is_gone_is_drift() -> None:
    base = manifest(users={"old": ["/srv/old", []]})
    (finding,) = find_drift(memory({"packages": reply()["packages"]}, base=base))
    assert (finding.kind, finding.name, finding.what) == (Kind.USER, "old", "missing")


def test_manifest_of_an_older_version_names_no_users() -> None:
    assert Manifest.parse(manifest()).users == {}
