"""Daemons are held back by a policy that is known as ours, and only such a one is removed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible.module_utils.provision_packages import free_daemons, hold_daemons


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
