"""Apply account changes on a host and compile what Dovecot and Postfix look up.

Standard library only; runs as root on the host. The engine calls three functions:

`apply_delta(layout, delta)` takes::

    {"sites":   {SITE: DOCUMENT, ...},      new or changed, each the whole canonical text
     "removed": [SITE, ...],                sites that leave this host
     "hashes":  {ADDRESS: {"fingerprint": FINGERPRINT, "hash": "{ARGON2ID}$..."}, ...},
     "moves":   {NEW: {"from": OLD, "fingerprint": THAT OF THE SAME PASSWORD AT OLD}, ...},
     "removal": {"who": ..., "commit": ..., "keep_seconds": ...}}      for the archives' records

``moves`` and ``removal`` may be missing. A move counts where OLD is there and NEW is not. Moves
from a site that is removed to one that is new make that one its heir.

`compile_all(layout)` compiles from what is stored: it makes the folders and empty maps of a new
host, finishes what was interrupted, and mends files that were edited by hand.
`provision_account_store.observe(layout)` says what the host has.

A password is needed for every mailbox whose fingerprint the host does not hold
(`provision_account_store.fingerprints`); for a ``generated`` one only where it holds none at all.

Every step is durable before the next. Credentials and documents are stored first, so after a kill
or a full disk `compile_all` ends where an undisturbed run would have. A mailbox appears as login,
folder, Postfix map, in this order, and leaves in the opposite one, so that no mail is accepted
that cannot be delivered. No daemon is reloaded. Mail is never deleted: the folder of a mailbox that
left moves to the archive, and stays there until somebody restores or purges it.
"""

# Durable writing is made of system calls on descriptors, and pathlib has no fsync.
# ruff: noqa: PTH103, PTH118

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

from .provision_account_archive import move
from .provision_account_compile import Compile
from .provision_account_store import (
    Layout,
    dump,
    load,
    lock,
    make_folder,
    remove,
    sites_in,
    write,
)
from .provision_account_tables import InvalidAccounts, Tables, compile_tables
from .provision_account_transition import (
    GENERATED,
    begin_transition,
    inherited,
    renamed_sites,
    transition_path,
    write_transition,
)


def apply_delta(layout: Layout, delta: Mapping[str, Any]) -> dict[str, list[str]]:
    """Store a delta and compile; returns what `compile_all` returns.

    Raises InvalidAccounts before anything is changed when the delta is not whole, OSError when
    the host cannot do it (the old accounts then go on working).
    """
    _make_store(layout)
    with lock(layout):
        _settle(layout)
        documents = {site: json.loads(text) for site, text in delta["sites"].items()}
        credentials = _merged_credentials(layout, documents, delta)
        tables = _tables_after(layout, documents, credentials, delta["removed"])
        write_transition(layout, begin_transition(layout, documents, delta))
        for site, entries in credentials.items():
            write(layout.credentials(site), dump(entries))
        for site, old in renamed_sites(layout, delta).items():
            # In one step, so that no moment has both: a killed run is then a rename of mailboxes.
            move(layout.document(old), layout.document(site))
        for site, text in delta["sites"].items():
            write(layout.document(site), text.encode("ascii"))
        for site in delta["removed"]:
            remove(layout.document(site))
        return Compile(layout, tables).run()


def compile_all(layout: Layout) -> dict[str, list[str]]:
    """Make what the daemons read from what is stored.

    Returns ``{"created", "renamed", "archived", "written", "said"}``: mailboxes that got a folder,
    whose folder got a new name, whose folder went to the archive, the files that changed, and what
    a person should know.
    """
    _make_store(layout)
    with lock(layout):
        return Compile(layout, _tables_after(layout, {}, {}, [])).run()


def _make_store(layout: Layout) -> None:
    os.makedirs(layout.store, mode=0o700, exist_ok=True)
    for name in ("sites", "credentials", "maps"):
        make_folder(os.path.join(layout.store, name))


def _settle(layout: Layout) -> None:
    """End a removal or rename that was killed, so that the next one starts from a whole state."""
    if os.path.lexists(transition_path(layout)):
        with contextlib.suppress(InvalidAccounts):  # the coming delta ends it then
            Compile(layout, _tables_after(layout, {}, {}, [])).run()


def _merged_credentials(
    layout: Layout, documents: Mapping[str, Any], delta: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Credentials after the delta of each site in it; a compile drops those of who has left."""
    hashes, moves = delta["hashes"], delta.get("moves", {})
    heirs = renamed_sites(layout, delta)
    merged: dict[str, dict[str, Any]] = {}
    for site, document in documents.items():
        entries = dict(load(layout.credentials(site)) or {})
        if site in heirs:
            entries = {**(load(layout.credentials(heirs[site])) or {}), **entries}
        for mailbox in document["mailboxes"]:
            address, wanted = mailbox["address"], mailbox["fingerprint"]
            if address in hashes and hashes[address]["fingerprint"] == wanted:
                entries[address] = dict(hashes[address])
            elif address not in entries:
                entries[address] = _brought_along(entries, address, moves.get(address), wanted)
            elif wanted == GENERATED:
                entries[address] = {**entries[address], "fingerprint": GENERATED}
            elif entries[address]["fingerprint"] != wanted:
                raise InvalidAccounts(f"{address}: the delta has no hash of its new password")
        merged[site] = entries
    return merged


def _brought_along(
    entries: Mapping[str, Any], address: str, move: Mapping[str, str] | None, wanted: str
) -> dict[str, str]:
    found = inherited(entries, move, wanted)
    if found is None:
        raise InvalidAccounts(f"{address}: the delta has no password hash for it")
    return found


def _tables_after(
    layout: Layout,
    documents: Mapping[str, Any],
    credentials: Mapping[str, Any],
    removed: list[str],
) -> Tables:
    """The tables after a delta, in memory: what cannot be compiled is never stored."""
    for site, document in documents.items():
        if document["site"] != site:
            raise InvalidAccounts(f"the document of {site} is of {document['site']}")
    staying = [site for site in sites_in(layout) if site not in documents and site not in removed]
    every = [*documents.values(), *(load(layout.document(site)) for site in staying)]
    entries = [*credentials.values(), *(load(layout.credentials(site)) or {} for site in staying)]
    hashes = {address: entry["hash"] for site in entries for address, entry in site.items()}
    return compile_tables(every, hashes)
