"""The unix sockets by which the daemons of a host reach each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model.bundle import Bundle

_NAMED = re.compile(r"\bunix:(/[\w./-]+)|^smtpd_sasl_path\s*=\s*(/[\w./-]+)", re.MULTILINE)
_READ_BY_POSTFIX = ("/etc/postfix/main.cf", "/etc/postfix/master.cf")


def sockets_of_postfix(bundle: Bundle) -> tuple[str, ...]:
    """Sockets that Postfix connects to for deliveries, logins and questions, sorted."""
    return tuple(sorted(set(_named(bundle))))


def _named(bundle: Bundle) -> Iterator[str]:
    for file in bundle.files:
        if file.path in _READ_BY_POSTFIX:
            for match in _NAMED.finditer(file.content.decode("utf-8")):
                yield match[1] or match[2]
