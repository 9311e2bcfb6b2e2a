"""What Dovecot says of a reload's own doing may pass; what it says of its configuration may not."""

from __future__ import annotations

import pytest
from ansible.module_utils.provision_complaints import may_pass

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
        "lmtp: Fatal: Plugin 'sieve' not found from directory /usr/lib/dovecot/modules",
        "master: Error: service(imap-login): child 12 killed with signal 11",
        "auth: Panic: file auth.c: line 1: assertion failed",
    ],
)
def test_anything_else_counts_also_beside_what_may_pass(line: str) -> None:
    assert not may_pass([line])
    assert not may_pass([LATE, ENDED, line])
