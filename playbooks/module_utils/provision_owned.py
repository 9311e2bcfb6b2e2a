"""What this host has only because an apply brought it: packages and system users.

/var/lib/provision/owned.json names them, whatever the generation: a rollback does not change who
installed a package. It is written before they come, so that a killed run forgets none. What was
there before is not in it, and is never removed.
"""

from __future__ import annotations

import pwd
from collections.abc import Iterable
from typing import Any

from .provision_commands import run
from .provision_durable import read_json, write_json
from .provision_layout import Layout


def owned(layout: Layout) -> dict[str, list[str]]:
    """Names of ``packages`` and ``users`` that applies have brought."""
    return {"packages": [], "users": [], **read_json(layout.owned, {})}


def note_coming(layout: Layout, packages: Iterable[str], users: Iterable[str]) -> None:
    """Remember those of them that are not here yet."""
    coming = {
        "packages": [name for name in packages if not is_installed(name)],
        "users": [name for name in users if not _is_user(name)],
    }
    _change(layout, {kind: set(names) for kind, names in coming.items()}, add=True)


def forget(layout: Layout, kind: str, names: Iterable[str]) -> None:
    """They are gone, or no longer ours to remove. ``kind``: ``packages`` or ``users``."""
    _change(layout, {kind: set(names)}, add=False)


def _change(layout: Layout, names: dict[str, set[str]], *, add: bool) -> None:
    have: dict[str, Any] = owned(layout)
    for kind, changed in names.items():
        before = set(have[kind])
        have[kind] = sorted(before | changed if add else before - changed)
    if have != owned(layout):
        write_json(layout.owned, have)


def is_installed(package: str) -> bool:
    """True when dpkg has it installed and configured (dpkg-query(1))."""
    asked = run("dpkg-query", "--show", "--showformat=${db:Status-Status}", "--", package)
    return asked.status == 0 and asked.output == "installed"


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
