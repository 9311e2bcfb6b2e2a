"""testinfra's table of backends is not a documented interface: this holds what is used of it."""

from __future__ import annotations

import pytest
import testinfra.backend

from provision.verify.backend import SCHEME, open_testinfra
from provision.verify.outcome import Fault
from provision.verify.remote_shell import RemoteShell


def test_backend_is_registered_and_found_by_its_scheme(shell: RemoteShell) -> None:
    host = open_testinfra("mail1", shell)
    assert testinfra.backend.get_backend_class(SCHEME) is type(host.backend)
    assert host.backend.get_pytest_id() == "provision://mail1"


def test_unmodified_testinfra_modules_work_through_it(shell: RemoteShell) -> None:
    host = open_testinfra("mail1", shell)
    assert host.file("/etc/passwd").is_file
    assert host.file("/etc/passwd").user == "root"
    assert not host.file("/no/such/file").exists
    assert host.package("bash").is_installed
    assert host.user("root").uid == 0


def test_arguments_are_quoted(shell: RemoteShell) -> None:
    host = open_testinfra("mail1", shell)
    assert host.check_output("printf %%s %s", "a'b; $(id)") == "a'b; $(id)"


def test_every_host_has_its_own_connection(shell: RemoteShell) -> None:
    other = open_testinfra("mail2", shell)
    assert open_testinfra("mail1", shell) is not other


def test_command_past_its_deadline_is_a_fault(
    shell: RemoteShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shell.run
    monkeypatch.setattr(shell, "run", lambda command: run(command, timeout=0.2))
    with pytest.raises(Fault, match="did not end"):
        open_testinfra("mail1", shell).run("sleep 30")


def test_two_hundred_file_checks_share_one_session(shell: RemoteShell) -> None:
    host = open_testinfra("mail1", shell)
    session = shell.run("echo $PPID").stdout
    for _ in range(50):
        file = host.file("/etc/passwd")
        assert file.exists
        assert file.mode == 0o644
        assert file.user == "root"
        assert file.contains("root")
    assert shell.run("echo $PPID").stdout == session
