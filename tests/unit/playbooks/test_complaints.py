"""What Dovecot says of a reload's own doing may pass; what it says of its configuration may not."""

from __future__ import annotations

import pytest
from ansible.module_utils.provision_complaints import complaints_in, may_pass

LATE = (
    "lmtp: Fatal: Failed to read configuration: fd_read() failed: Connection reset by peer - "
    "Also failed to read config by executing doveconf: /run/dovecot/config is a UNIX socket "
    "(path is from CONFIG_FILE environment)"
)
GONE = (
    "lmtp: Fatal: Failed to read configuration: stat(/run/dovecot/config) failed: "
    "No such file or directory (path is from CONFIG_FILE environment)"
)
ENDED = "master: Error: service(lmtp): service(lmtp): child 2738 returned error 89 (Fatal failure)"
THROTTLED = "master: Error: service(lmtp): command startup failed, throttling for 2.000 secs"


@pytest.mark.parametrize("lines", [[LATE], [GONE, ENDED], [ENDED, LATE, THROTTLED], [ENDED]])
def test_child_that_came_too_late_for_its_settings_may_pass(lines: list[str]) -> None:
    assert may_pass(lines)


@pytest.mark.parametrize(
    "line",
    [
        "master: Error: Config reload failed: bad value",
        "config: Error: Error in configuration file /etc/dovecot/dovecot.conf line 3: bad value",
        "imap: Fatal: Failed to read configuration: cannot map it: Cannot allocate memory",
        "lmtp: Fatal: Plugin 'sieve' not found from directory /usr/lib/dovecot/modules",
        "master: Error: service(imap-login): child 12 killed with signal 11",
        "auth: Panic: file auth.c: line 1: assertion failed",
    ],
)
def test_anything_else_counts_also_beside_what_may_pass(line: str) -> None:
    assert not may_pass([line])
    assert not may_pass([LATE, ENDED, line])


OWN_WORDS = [
    ("postfix", "fatal: open /etc/postfix/main.cf: Permission denied"),
    ("postfix@-", "postfix/postfix-script: fatal: the Postfix mail system is not running"),
    ("postfix", "/usr/sbin/postconf: fatal: bad numerical configuration: a = b"),
    ("postfix", "panic: myfree: corrupt or unallocated memory block"),
    ("dovecot", LATE),
    ("dovecot", "master: Error: Config reload failed: bad value"),
    ("dovecot", "imap(anna@acme.example)<4711><aBcD/=>: Panic: file imap.c: line 1"),
    ("nginx", "nginx: [emerg] bind() to 0.0.0.0:443 failed (98: Address already in use)"),
    ("nginx", "2026/11/28 11:00:00 [alert] 7#7: worker process 8 exited on signal 11"),
    ("php8.4-fpm", "ERROR: [pool www] the chdir path '/x' does not exist"),
    ("php8.4-fpm", "[28-Nov-2026 11:00:00] ALERT: [pool www] user has not been defined"),
]
WORDS_OF_STRANGERS = [
    ("postfix", "warning: non-SMTP command from unknown[192.0.2.1]: fatal: x"),
    ("postfix", "7F1: to=<a@b.example>, status=deferred (host b said: 451 fatal: no disk)"),
    ("dovecot", "imap-login: Login aborted: user=<Fatal:>, method=PLAIN, rip=192.0.2.1"),
    ("dovecot", "imap-login: Login aborted: user=<master: Error: Config reload failed>"),
    ("nginx", '2026/11/28 11:00:00 [error] 7#7: *1 client: 192.0.2.1, request: "GET /[emerg]"'),
    ("nginx", "2026/11/28 11:00:00 [crit] 7#7: *1 SSL_do_handshake() failed, client: 192.0.2.1"),
    ("php8.4-fpm", '[pool www] child 7 said into stderr: "login of ERROR: failed"'),
]


@pytest.mark.parametrize(("unit", "line"), OWN_WORDS)
def test_own_words_of_a_program_count(unit: str, line: str) -> None:
    assert complaints_in(f"{unit}.service", ["a quiet line", line]) == [line]


@pytest.mark.parametrize(("unit", "line"), WORDS_OF_STRANGERS)
def test_strangers_cannot_end_an_apply_by_what_they_say(unit: str, line: str) -> None:
    assert complaints_in(f"{unit}.service", [line]) == []
