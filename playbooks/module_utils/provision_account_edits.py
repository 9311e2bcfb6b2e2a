"""What somebody edited by hand in a host's account data: only what a spec could ask for, too.

Standard library only; runs as root on the host and changes nothing. Two places are looked at: the
passwd-files that Dovecot reads, held against what a compile would write, and the documents of
sites, held against what the last compile has read.
"""

from __future__ import annotations

import os
import re
from typing import Any

from .provision_account_store import Layout, digest, load, read, sites_in
from .provision_account_tables import compile_tables

_QUOTA = re.compile(r"\buserdb_quota_storage_size=([0-9]{1,15})B\b")


def edits(layout: Layout) -> dict[str, Any]:
    """``{"logins": {SITE: {ADDRESS: {"edit", "hash", "quota"}}}, "documents": {SITE: TEXT}}``.

    ``edit`` is ``added``, ``gone`` or ``changed``; ``hash`` and ``quota`` (bytes, 0: no limit) are
    there where they are others than a compile would write. ``broken`` says why nothing could be
    compared.
    """
    sites = sites_in(layout)
    held = [load(layout.credentials(site)) or {} for site in sites]
    hashes = {address: entry["hash"] for site in held for address, entry in site.items()}
    try:
        documents = [load(layout.document(site)) for site in sites]
        tables = compile_tables(documents, hashes)
    except (ValueError, KeyError, TypeError) as error:
        return {"logins": {}, "documents": _edited_documents(layout), "broken": str(error)}
    found = {
        site: _edited_logins(own.passwd, _live(layout, site)) for site, own in tables.sites.items()
    }
    return {
        "logins": {site: logins for site, logins in found.items() if logins},
        "documents": _edited_documents(layout),
        "broken": "",
    }


def _edited_documents(layout: Layout) -> dict[str, str]:
    """Documents that are not those that the last compile has read, as they are."""
    read_last = (load(layout.compiled) or {"inputs": {}})["inputs"]
    found = {}
    for site in sites_in(layout):
        content = read(layout.document(site)) or b""
        if site in read_last and digest(content) != read_last[site][0]:
            found[site] = content.decode("utf-8", "replace")
    return found


def _live(layout: Layout, site: str) -> dict[str, str]:
    content = read(os.path.join(layout.dovecot, f"{site}.passwd"))  # noqa: PTH118 - as everywhere
    lines = (content or b"").decode("utf-8", "replace").splitlines()
    return {line.partition(":")[0]: line for line in lines if line and not line.startswith("#")}


def _edited_logins(wanted: dict[str, str], live: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for address in sorted({*wanted, *live}):
        if address not in live:
            found[address] = {"edit": "gone"}
        elif address not in wanted:
            found[address] = {"edit": "added", **_fields(live[address])}
        elif live[address] != wanted[address]:
            now, then = _fields(live[address]), _fields(wanted[address])
            differing = {key: value for key, value in now.items() if value != then[key]}
            found[address] = {"edit": "changed", **differing}
    return found


def _fields(line: str) -> dict[str, Any]:
    """Password hash and quota of a line (Dovecot documentation, "Passwd-file")."""
    parts = line.split(":", 7)
    quota = _QUOTA.search(line)
    return {"hash": parts[1] if len(parts) > 1 else "", "quota": int(quota[1]) if quota else 0}
