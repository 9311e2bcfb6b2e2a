from __future__ import annotations

import time

import pytest

from provision.verify.remote_shell import RemoteShell, ShellLost


def test_command_gives_status_output_and_errors(shell: RemoteShell) -> None:
    done = shell.run("printf out; printf err >&2; exit 3")
    assert (done.status, done.stdout, done.stderr) == (3, b"out", b"err")


def test_errors_larger_than_an_ssh_window_do_not_block(shell: RemoteShell) -> None:
    done = shell.run("head -c 8000000 /dev/zero >&2; printf done")
    assert len(done.stderr) == 8_000_000
    assert done.stdout == b"done"


def test_deadline_ends_a_command_with_its_children(shell: RemoteShell) -> None:
    began = time.monotonic()
    done = shell.run("sleep 60 & sleep 60", timeout=0.3)
    assert done.status is None
    assert time.monotonic() - began < 5
    assert shell.run("printf alive").stdout == b"alive"


def test_program_that_does_not_exist_is_no_end_of_the_session(shell: RemoteShell) -> None:
    assert shell.run("/no/such/program").status == 127
    assert shell.run("true").status == 0


def test_request_of_python_source_never_stands_in_an_argument_list(shell: RemoteShell) -> None:
    source = (
        "import json, pathlib, sys; given = json.load(sys.stdin)['password'];"
        "print(given, given in pathlib.Path('/proc/self/cmdline').read_text())"
    )
    assert shell.run_python(source, request={"password": "hunter2"}).stdout == b"hunter2 False\n"


def test_ended_session_is_reported_as_lost(shell: RemoteShell) -> None:
    with pytest.raises(ShellLost):
        shell.run("kill -9 $PPID")


def test_every_command_is_started_by_the_same_process(shell: RemoteShell) -> None:
    assert len({shell.run("echo $PPID").stdout for _ in range(200)}) == 1
