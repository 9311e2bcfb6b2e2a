"""Postfix's maps wait until Dovecot knows the new logins, and no longer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from ansible.module_utils.provision_account_sight import wait_until_seen

_DOVEADM = """#!/bin/sh
printf '%s\\n' "$*" >>{log}
test $(grep -c . {log}) -gt {unknown} && exit {status}
exit 67
"""


def _doveadm(folder: Path, *, unknown: int = 0, status: int = 0) -> str:
    """A doveadm that does not know the first logins that it is asked for."""
    program = folder / "doveadm"
    program.write_text(_DOVEADM.format(log=folder / "log", unknown=unknown, status=status))
    program.chmod(0o755)
    return str(program)


def _asked(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def test_login_that_is_known_is_asked_for_once(tmp_path: Path) -> None:
    wait_until_seen(_doveadm(tmp_path), ["anna@acme.example"])
    assert _asked(tmp_path) == ["user -- anna@acme.example"]


def test_login_that_is_unknown_is_asked_for_again_in_the_next_second(tmp_path: Path) -> None:
    began = int(time.time())
    wait_until_seen(_doveadm(tmp_path, unknown=1), ["anna@acme.example"])
    assert _asked(tmp_path) == ["user -- anna@acme.example"] * 2
    assert int(time.time()) > began


@pytest.mark.parametrize("status", [1, 75])
def test_dovecot_that_does_not_run_is_not_waited_for(tmp_path: Path, status: int) -> None:
    wait_until_seen(_doveadm(tmp_path, status=status), ["anna@acme.example"])
    assert len(_asked(tmp_path)) == 1
    wait_until_seen("/nonexistent/doveadm", ["anna@acme.example"])


def test_of_many_files_a_few_are_asked_for_in_the_next_second(tmp_path: Path) -> None:
    began = int(time.time())
    wait_until_seen(_doveadm(tmp_path), [f"anna@s{number}.example" for number in range(50)])
    assert int(time.time()) > began
    assert len(_asked(tmp_path)) == 3
