"""A name that tells at run time which configuration a daemon has read.

A reload may fail silently: the old configuration then stays in memory (Dovecot), or is only partly
in use (Postfix). So each configuration declares one more unix socket, named after its own content:
when that socket accepts a connection, the running daemon has read exactly this configuration.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from provision.render.view import HostView


def marker(view: HostView, contents: Iterable[bytes]) -> str:
    """``provision-`` and 16 hexadecimal digits: a keyed digest of all that the daemon reads.

    ``contents`` are its files before they name the marker, and the certificates that it serves. The
    digest is keyed (RFC 2104) because a world-readable file shows it and ``contents`` may hold
    passwords.
    """
    digest = hmac.new(view.fleet.fingerprint_key.reveal().encode(), digestmod=hashlib.sha256)
    for content in contents:
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return f"provision-{digest.hexdigest()[:16]}"
