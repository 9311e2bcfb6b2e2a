"""Drop-ins that nothing would prove are found."""

from __future__ import annotations

import pytest
from ansible.module_utils.provision_check_units import lint_drop_ins
from ansible.module_utils.provision_durable import Attributes
from ansible.module_utils.provision_request import Request, WantedFile

UNIT = "postfix.service"
PATH = f"/etc/systemd/system/{UNIT}.d/provision.conf"
RELOADS, RESTARTS = 0, 2


def _request(verb: int) -> Request:
    file = WantedFile(
        PATH, "", Attributes(0o644, "root", "root"), secret=False, activations=[[UNIT, verb]]
    )
    return Request(0, None, [file], [], [UNIT], [], [], {}, {}, {}, {}, "", {})


def test_restart_policy_needs_no_new_start() -> None:
    text = "# why\n[Service]\nRestart=on-failure\nRestartSec=1s\n"
    assert list(lint_drop_ins(_request(RELOADS), {PATH: text})) == []


@pytest.mark.parametrize("setting", ["SystemCallFilter=~socket", "ExecStart=/x", "User=nobody"])
def test_setting_of_the_next_start_is_refused_without_a_restart(setting: str) -> None:
    text = f"[Service]\n{setting}\n"
    (found,) = lint_drop_ins(_request(RELOADS), {PATH: text})
    assert setting.partition("=")[0] in found
    assert list(lint_drop_ins(_request(RESTARTS), {PATH: text})) == []
