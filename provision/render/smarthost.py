"""What Postfix calls a smarthost: its transport, its next hop and its password line."""

from __future__ import annotations

import re

from provision.model.fleet import Smarthost

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
CREDENTIALS_FOLDER = "/etc/postfix/smarthosts"


def transport(smarthost: Smarthost) -> str:
    """The transport's name in master.cf; raises ValueError for a name that cannot stand there."""
    if not _NAME.fullmatch(smarthost.name):
        raise ValueError(f"smarthost {smarthost.name!r} cannot be the name of a transport")
    return f"smarthost-{smarthost.name}"


def nexthop(smarthost: Smarthost) -> str:
    """Host and port; the brackets mean "no MX look-up" (transport(5))."""
    return f"[{smarthost.host}]:{smarthost.port}"


def credentials_path(smarthost: Smarthost) -> str:
    """The file with this smarthost's login and no other."""
    return f"{CREDENTIALS_FOLDER}/{smarthost.name}"


def credentials(smarthost: Smarthost) -> bytes:
    """The line ``NEXTHOP USERNAME:PASSWORD`` of a texthash table (postconf(5), DATABASE_README).

    The table is read as it stands: ``$``, ``#``, ``:`` and inner spaces of a password survive. The
    first colon ends the username, white space at the end is lost, a control character ends or
    folds the line: such values raise ValueError.
    """
    username, password = smarthost.username, smarthost.password.reveal()
    value = f"{username}:{password}"
    if ":" in username:
        raise ValueError(f"the username of smarthost {smarthost.name} holds a colon")
    if not username or not password or value != value.strip():
        raise ValueError(f"the login of smarthost {smarthost.name} is empty or has outer spaces")
    if not value.isprintable():
        raise ValueError(f"the login of smarthost {smarthost.name} holds a control character")
    return f"{nexthop(smarthost)} {value}\n".encode()
