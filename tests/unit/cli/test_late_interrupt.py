"""Ctrl-C after the last host has ended loses nothing of what came of them."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provision.apply.lock_wish import Wish
from provision.apply.rollout import Rollout
from provision.cli.applying import Applying
from provision.cli.approval import Approval
from provision.cli.events import Events
from provision.cli.looking import Looking
from provision.cli.rollback import _Run
from provision.errors import ExitCode
from provision.hosts.apply_lock import ApplyLock
from provision.hosts.connection import Connection
from provision.model.amounts import Duration
from provision.model.fleet import Host
from provision.plan.change import Action, Change, HostPlan, Kind, Plan
from tests.unit.closed_fleet import closed_fleet

PLAN = Plan((HostPlan("mail1", 1, (Change(Kind.PACKAGE, "postfix", Action.CREATE),)),))


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """One whose only host has gone: no lock is had, and the run ends with that."""
    return closed_fleet(tmp_path)


@pytest.fixture(autouse=True)
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes while locks are given back."""
    free = ApplyLock.free

    def free_interrupted(lock: ApplyLock) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        free(lock)

    monkeypatch.setattr(ApplyLock, "free", free_interrupted)


def _require_all_told(fleet: Path, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    said = capsys.readouterr()
    assert code == ExitCode.INTERRUPTED
    assert "mail1: not reached" in said.out
    assert "Every host has ended" in said.err
    (line,) = (fleet / ".provision/audit.log").read_text().splitlines()
    assert json.loads(line)["hosts"] == {"mail1": "unreachable"}


def test_apply_keeps_outcomes_and_its_audit_line(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Approval, "plan", lambda *_given, **_named: (PLAN, {}))
    looking = Looking(fleet, None, ())
    applying = Applying(looking, Approval(), Rollout(), events=Events(), is_json=False)
    code = applying.run(set(), Wish("apply"), Duration(60), yes=True, show_passwords=False)
    _require_all_told(fleet, code, capsys)


def test_rollback_keeps_outcomes_and_its_audit_line(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host: Host = Looking(fleet, None, ()).desired.bundles["mail1"].host
    told: Any = SimpleNamespace(hosts=[host], connection=Connection(fleet / "known_hosts"))
    run = _Run(fleet, told, Duration(60), events=Events(), is_json=False)
    run.plan, run.failures, run.targets = PLAN, {}, {"mail1": 1}
    memory: Any = SimpleNamespace(base=None)
    run.seen = {"mail1": memory}
    _require_all_told(fleet, run.finish(Wish("rollback")), capsys)
