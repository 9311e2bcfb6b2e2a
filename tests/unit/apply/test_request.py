"""What a host is told beside its files: who gains power by an apply."""

from __future__ import annotations

from dataclasses import replace

from provision.apply.request import HostWork
from provision.model.bundle import SystemUser
from provision.plan.diff import diff_host
from provision.plan.state import HostState
from tests.unit.plan.estate import desired, reply


def _work(user: SystemUser, **have: list[str]) -> HostWork:
    bundle = desired()
    users = {name: {"home": user.home, "groups": groups} for name, groups in have.items()}
    state = HostState.parse(reply(users={**reply()["users"], **users}))
    wanted = replace(bundle, users=(*bundle.users, user))
    return HostWork(wanted, state, diff_host(wanted, state))


def test_host_is_told_which_groups_of_power_a_user_has_just_joined() -> None:
    second = SystemUser("second", "/nonexistent", ("adm", "mail", "sudo"))
    assert _work(second).joining() == {"second": ["adm", "sudo"]}
    assert _work(second, second=["sudo"]).joining() == {"second": ["adm"]}
    assert _work(second, second=["adm", "mail", "sudo"]).joining() == {}


def test_groups_without_power_need_no_way_back() -> None:
    work = _work(SystemUser("second", "/nonexistent", ("mail",)))
    assert (work.joining(), work.confirm_seconds) == ({}, 0)
