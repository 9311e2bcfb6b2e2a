"""Let Dovecot see new logins before Postfix takes mail for them.

Dovecot's auth process looks whether a passwd-file is newer at most once in a second of its clock
(db-passwd-file.c, passwd_file_sync). Who is written after such a look is unknown until the second
is over, and mail that Postfix had accepted for them would bounce.
"""

from __future__ import annotations

import subprocess
import time

_NO_USER = 67
"""EX_NOUSER of doveadm(1); another failure is a Dovecot that does not run, and has seen nothing."""
_ASKED = 3
_SECONDS = 3.0
_MARGIN = 0.05


def wait_until_seen(doveadm: str, logins: list[str]) -> None:
    """Return when Dovecot knows the logins: at once, or when its second is over.

    ``logins`` are one of each file that has got new ones; of many files only some are asked for.
    """
    if len(logins) > _ASKED:
        _end_second()
    deadline = time.monotonic() + _SECONDS
    for login in logins[:_ASKED]:
        while _is_unknown(doveadm, login) and time.monotonic() < deadline:
            _end_second()


def _is_unknown(doveadm: str, login: str) -> bool:
    try:
        asked = subprocess.run(
            [doveadm, "user", "--", login], capture_output=True, timeout=_SECONDS, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == _NO_USER


def _end_second() -> None:
    time.sleep(1 - time.time() % 1 + _MARGIN)
