"""Files that Dovecot's own checker does not look at."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.provision_check_dovecot import lint


def test_settings_whose_files_are_there_pass(tmp_path: Path) -> None:
    script = tmp_path / "before.sieve"
    script.touch()
    assert list(lint(f"protocols = imap\nsieve_script_path = {script}\n")) == []


def test_missing_certificate_is_found() -> None:
    settings = "protocols = imap\nssl_server_cert_file = /nowhere/host.crt\n"
    assert list(lint(settings)) == [
        "dovecot: ssl_server_cert_file: there is no file /nowhere/host.crt"
    ]


def test_missing_script_in_a_block_is_found() -> None:
    settings = (
        "protocols = imap\nsieve_script before {\n  driver = file\n  path = /nowhere.sieve\n}\n"
    )
    assert list(lint(settings)) == ["dovecot: sieve_script before: there is no file /nowhere.sieve"]


def test_path_with_a_variable_is_left_to_dovecot() -> None:
    assert list(lint("protocols = imap\npasswd_file_path = /x/%{user}.passwd\n")) == []


def test_empty_configuration_is_found() -> None:
    assert list(lint("# 2.4.1\n")) == ["doveconf: no protocols are set: is the file empty?"]
