"""Keep what an apply replaces but no generation of ours wrote: somebody's edits are never lost.

Copies stand in /var/lib/provision/replaced/GENERATION/ at their paths, readable by root alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from .provision_account_store import Layout as AccountLayout
from .provision_account_store import load, observe, seal
from .provision_account_work import index_path
from .provision_durable import Attributes, make_private, write
from .provision_generation import current_manifest, is_as_wanted
from .provision_journal import removals
from .provision_layout import Layout
from .provision_request import Request, WantedFile


def edited_files(layout: Layout, request: Request) -> list[str]:
    """Paths that the request will replace or remove and that are not as the last one left them."""
    recorded = current_manifest(layout)["files"]
    going = [file.path for file in request.files if not is_as_wanted(layout, file)]
    going += removals(layout, request)
    return [path for path in going if _is_edited(layout, path, recorded.get(path))]


def edited_accounts(accounts: AccountLayout, sites: Iterable[str] | None = None) -> list[str]:
    """Compiled account files that are not as a compile left them, when the last one had ended.

    ``sites`` are those whose files are about to be written; None: any file may be.
    """
    if sites is not None:
        return _edited_of(accounts, tuple(sites))
    damage = observe(accounts)["damage"]
    if any(not path.startswith("/") for path in damage):
        return []
    return [path for path in damage if os.path.lexists(accounts.at(path))]


def _edited_of(accounts: AccountLayout, sites: tuple[str, ...]) -> list[str]:
    """The same without a look at the files of all other sites; maps are always looked at."""
    recorded = (load(accounts.compiled) or {"files": {}})["files"]
    known = (load(index_path(accounts)) or {"sites": {}})["sites"]
    own = {
        f"/etc/dovecot/accounts/{name}"
        for site in sites
        for name in known.get(site, {"files": ()})["files"]
    }
    return [
        path
        for path, wanted in sorted(recorded.items())
        if path.endswith(".cdb") or path in own
        if os.path.lexists(accounts.at(path)) and seal(accounts.at(path)) != wanted
    ]


def keep(layout: Layout, number: int, paths: Iterable[str]) -> list[str]:
    """Copy these live files to replaced/NUMBER/, durably; returns those that there were."""
    owner = str(os.getuid()), str(os.getgid())
    folder = layout.replaced / str(number)
    kept = []
    for path in paths:
        live = layout.live(path)
        if live.is_file() and not live.is_symlink():
            make_private(folder)
            write(folder / path.lstrip("/"), live.read_bytes(), Attributes(0o600, *owner))
            kept.append(path)
    return kept


def _is_edited(layout: Layout, path: str, entry: dict[str, Any] | None) -> bool:
    if not os.path.lexists(layout.live(path)):
        return False
    return entry is None or not is_as_wanted(layout, WantedFile.of_record(path, entry))
