from __future__ import annotations

import json

import pytest

from provision.verify.quiet import complaints


def _entry(program: str, message: str, priority: int = 6) -> str:
    return json.dumps({"SYSLOG_IDENTIFIER": program, "MESSAGE": message, "PRIORITY": str(priority)})


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("postfix/smtpd", "warning: cdb:/etc/postfix/accounts/aliases is unavailable"),
        ("postfix/smtpd", "fatal: open dictionary: expecting type:name form"),
        ("postfix/submissions/smtpd", "warning: SASL: Connect to private/dovecot-auth failed"),
        ("dovecot", "auth: Error: passwd-file /etc/dovecot/accounts/x: open() failed"),
        ("dovecot", "imap(anna@acme.example)<1>: Panic: file mail-index.c"),
        ("roundcube", "<abc> PHP Fatal error: Uncaught Error"),
        ("systemd", "postfix.service: Main process exited, code=exited, status=1/FAILURE"),
    ],
)
def test_fault_of_a_daemon_is_heard(program: str, message: str) -> None:
    assert complaints(_entry(program, message), "") == [f"{program}: {message}"]


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("postfix/smtpd", "connect from unknown[198.18.0.1]"),
        (
            "postfix/submissions/smtpd",
            "warning: unknown[198.18.0.1]: SASL PLAIN authentication failed: (reason unavailable)",
        ),
        ("postfix/smtpd", "warning: TLS library problem: error:0A000102:SSL routines"),
        ("postfix/smtpd", "warning: hostname a.example does not resolve to address 198.18.0.1"),
        ("dovecot", "imap-login: Login aborted: Connection closed (auth failed, 1 attempts)"),
        ("sshd", "error: kex_exchange_identification: Connection closed by remote host"),
    ],
)
def test_what_any_stranger_can_cause_is_no_fault(program: str, message: str) -> None:
    assert complaints(_entry(program, message), "") == []


def test_error_priority_alone_is_enough() -> None:
    assert complaints(_entry("nginx", "upstream is gone", priority=3), "")


def test_error_files_count_and_repeats_count_once() -> None:
    line = "2026/11/23 18:00:00 [error] 12#12: connect() failed"
    assert complaints("", f"{line}\n{line}\n2026/11/23 18:00:00 [notice] 1#1: ok\n") == [line]
