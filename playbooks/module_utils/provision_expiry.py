"""Whether a certificate has expired, by this host's clock."""

from __future__ import annotations

from .provision_commands import run


def has_expired(path: str) -> bool:
    """True for a file whose first certificate has expired; a file without one has not."""
    asked = run("openssl", "x509", "-noout", "-checkend", "0", "-in", path)
    return asked.status == 1 and "will expire" in asked.output
