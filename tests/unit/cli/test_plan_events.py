"""A plan as events: each is as its schema says, whatever the plan holds."""

from __future__ import annotations

from pathlib import Path

from provision.cli.events import Events
from provision.cli.plan_events import tell_plan
from provision.errors import ExitCode, HostUnreachable
from provision.plan.change import Action, Change, HostPlan, Kind, Origin, Plan
from provision.plan.objection import ALLOW_REMOVALS, Objection, Rule
from tests.contract_checks import check_events


def test_guards_drift_and_hosts_that_do_not_answer_are_told(tmp_path: Path) -> None:
    objection = Objection(Rule.REMOVALS, "acme.example", "5 of 5 would go", ALLOW_REMOVALS)
    drift = Change(Kind.FILE, "/etc/postfix/main.cf", Action.UPDATE, origin=Origin.DRIFT)
    host = HostPlan("mail1", 3, changes=(drift,), objections=(objection,))
    path = tmp_path / "events"
    events = Events.open(str(path))
    with events.run("plan", fleet_dir="demo", who="ada@desk", commit=""):
        tell_plan(events, Plan((host,)), {"mail2": HostUnreachable("mail2: no answer")})
    events.end(ExitCode.UNREACHABLE)
    told = {event["type"]: event for event in check_events(path, ExitCode.UNREACHABLE)}
    assert {"host_observed", "change_summary", "drift", "guard"} <= set(told)
    guard = told["guard"]
    assert (guard["rule"], guard["flag"]) == ("removals", ALLOW_REMOVALS)
    assert "5 of 5 would go" in guard["message"]
