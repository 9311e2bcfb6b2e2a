"""Webmail on the host: the next start of nginx will succeed."""

from __future__ import annotations

from provision.verify.outcome import require
from provision.verify.snapshot import Snapshot


def test_nginx_accepts_its_configuration(snapshot: Snapshot) -> None:
    """Nginx accepts its configuration."""
    printed = snapshot.nginx
    require(
        printed.status == 0,
        f"nginx says: {' '.join(printed.err.split())[:200]}",
        hint="nginx would not start again: `provision plan` shows what changed.",
    )
