"""Daemons are held back by a policy that is known as ours, and only such a one is removed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible.module_utils.provision_packages import (
    free_daemons,
    free_units,
    hold_daemons,
    hold_units,
)


def test_policy_forbids_and_is_taken_back(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    hold_daemons(policy)
    assert subprocess.run([policy, "postfix", "start"], check=False).returncode == 101
    free_daemons(policy)
    assert not policy.exists()


def test_policy_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n")
    hold_daemons(policy)
    free_daemons(policy)
    assert policy.read_text() == "#!/bin/sh\nexit 0\n"


def test_units_are_held_until_they_are_freed(tmp_path: Path) -> None:
    (tmp_path / "nginx.service.d").mkdir()
    (tmp_path / "nginx.service.d/provision.conf").write_text("[Service]\n")
    hold_units(["postfix.service", "nginx.service"], tmp_path, tmp_path)
    for unit in ("postfix", "nginx"):
        text = (tmp_path / f"{unit}.service.d/provision-first.conf").read_text()
        assert "ConditionPathExists=/var/lib/provision/current\n" in text
    assert free_units(tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["nginx.service.d", "nginx.service.d/provision.conf"]


def test_units_that_served_before_us_are_not_held(tmp_path: Path) -> None:
    for place, unit in (("etc", "own.service"), ("lib", "postfix.service")):
        (tmp_path / place).mkdir()
        (tmp_path / place / unit).touch()
    hold_units(["own.service", "postfix.service"], tmp_path / "etc", tmp_path / "lib")
    assert not free_units(tmp_path / "etc")


def test_host_with_nothing_held_is_told_apart(tmp_path: Path) -> None:
    assert not free_units(tmp_path)
