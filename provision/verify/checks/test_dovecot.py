"""Dovecot: its configuration on disk is valid, so a restart or reboot will not fail.

``doveadm reload`` returns 0 on an invalid configuration and keeps the old one (doveconf(1) does
not): what runs now says nothing about the next start.
"""

from __future__ import annotations

import re
from typing import Any

from provision.verify.outcome import require, require_none
from provision.verify.snapshot import Snapshot

_FILE = re.compile(
    r"^\s*(?:ssl_server_(?:cert|key)_file|passwd_file_path)\s*=\s*(/[^\s%]+)$", re.MULTILINE
)


def test_dovecot_accepts_its_configuration(snapshot: Snapshot) -> None:
    """Dovecot accepts its configuration without a warning."""
    printed = snapshot.doveconf
    warnings = [line for line in printed.err.splitlines() if line.strip()]
    require(
        printed.status == 0 and not warnings,
        f"doveconf says: {' '.join(printed.err.split())[:200] or f'status {printed.status}'}",
        hint="Dovecot would not start again: `provision plan` shows what changed.",
    )


def test_dovecot_has_its_files(host: Any, snapshot: Snapshot) -> None:
    """Every certificate, key and users file that Dovecot names is there."""
    paths = sorted({match[1] for match in _FILE.finditer(snapshot.doveconf.out)})
    wrong = [f"{path} is missing" for path in paths if not host.file(path).exists]
    require_none(wrong, hint="Logins fail without it: run `provision apply`.")
