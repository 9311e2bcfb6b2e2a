"""Apply account changes on a host and compile what Dovecot and Postfix look up.

Standard library only; runs as root on the host. The engine calls three functions:

`apply_delta(layout, delta)` takes::

    {"sites":   {SITE: DOCUMENT, ...},      new or changed, each the whole canonical text
     "removed": [SITE, ...],                sites that leave this host
     "hashes":  {ADDRESS: {"fingerprint": FINGERPRINT, "hash": "{ARGON2ID}$..."}, ...},
     "moves":   {NEW: {"from": OLD, "fingerprint": THAT OF THE SAME PASSWORD AT OLD}, ...},
     "removal": {"who": ..., "commit": ..., "keep_seconds": ...},      for the archives' records
     "compiler": a digest of the program that compiles,
     "mend": True when what was compiled before is not to be built on}

``moves``, ``removal``, ``compiler`` and ``mend`` may be missing; without ``compiler``, or when
another one compiled last, every site is compiled, else only those that the delta touches. A move
counts where OLD is there and NEW is not. Moves from a site that is removed to one that is new make
that one its heir.

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
from .provision_account_documents import stored_mailboxes
from .provision_account_store import (
    Layout,
    dump,
    inputs,
    load,
    lock,
    make_folder,
    remove,
    write,
)
from .provision_account_tables import InvalidAccounts
from .provision_account_transition import (
    GENERATED,
    begin_transition,
    inherited,
    renamed_sites,
    transition_path,
    undo_half_renames,
    write_transition,
)
from .provision_account_work import Pending, find_work


def apply_delta(layout: Layout, delta: Mapping[str, Any]) -> dict[str, list[str]]:
    """Store a delta and compile; returns what `compile_all` returns.

    Raises InvalidAccounts before anything is changed when the delta is not whole, OSError when
    the host cannot do it (the old accounts then go on working).
    """
    _make_store(layout)
    with lock(layout) as held:
        heirs, said = _settle(layout, held)
        gone = [old for site, old in heirs.items() if site in delta["sites"]]
        delta = {**delta, "removed": [*delta["removed"], *gone]}
        heirs = renamed_sites(layout, delta)
        before, compiler = inputs(layout), delta.get("compiler", "")
        documents = {site: json.loads(text) for site, text in delta["sites"].items()}
        credentials = _merged_credentials(layout, documents, delta, heirs)
        pending = Pending(layout, documents, credentials, delta["removed"])
        # In memory first: what cannot be compiled is never stored.
        work = find_work(layout, pending, {} if delta.get("mend") else before, compiler=compiler)
        write_transition(layout, begin_transition(layout, documents, delta))
        for site, entries in credentials.items():
            write(layout.credentials(site), dump(entries))
        for site, old in heirs.items():
            # In one step, so that no moment has two that claim one domain, or none.
            move(layout.document(old), layout.document(site))
        for site, text in delta["sites"].items():
            write(layout.document(site), text.encode("ascii"))
        for site in delta["removed"]:
            remove(layout.document(site))
        done = Compile(layout, work, before, compiler=compiler, lock=held).run()
        return {**done, "said": list(dict.fromkeys([*said, *done["said"]]))}


def compile_all(layout: Layout, *, compiler: str = "") -> dict[str, list[str]]:
    """Make what the daemons read from what is stored, all of it.

    ``compiler`` names the program that compiles: a later delta that names it builds on the work.

    Returns ``{"created", "renamed", "archived", "written", "said"}``: mailboxes that got a folder,
    whose folder got a new name, whose folder went to the archive, the files that changed, and what
    a person should know.
    """
    _make_store(layout)
    with lock(layout) as held:
        undo_half_renames(layout)
        return _compile_all(layout, held, compiler)


def _compile_all(layout: Layout, held: int, compiler: str = "") -> dict[str, list[str]]:
    work = find_work(layout, Pending(layout, {}, {}, []), {}, compiler="")
    return Compile(layout, work, {}, compiler=compiler, lock=held).run()


def _make_store(layout: Layout) -> None:
    os.makedirs(layout.store, mode=0o700, exist_ok=True)
    for name in ("sites", "credentials"):
        make_folder(os.path.join(layout.store, name))


def _settle(layout: Layout, held: int) -> tuple[dict[str, str], list[str]]:
    """End a removal or rename that was killed, so that the next one starts from a whole state.

    Returns the renames of sites that were undone, new domain to the old one, and what a person
    should know.
    """
    if not os.path.lexists(transition_path(layout)):
        return {}, []
    undone = undo_half_renames(layout)
    with contextlib.suppress(InvalidAccounts):  # the coming delta ends it then
        return undone, _compile_all(layout, held)["said"]
    return undone, []


def _merged_credentials(
    layout: Layout,
    documents: Mapping[str, Any],
    delta: Mapping[str, Any],
    heirs: Mapping[str, str],
) -> dict[str, dict[str, Any]]:
    """Credentials after the delta of each site in it; a compile drops those of who has left."""
    hashes, moves = delta["hashes"], delta.get("moves", {})
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
        merged[site] = _without_strangers(layout, site, entries, moves) | {
            mailbox["address"]: entries[mailbox["address"]] for mailbox in document["mailboxes"]
        }
    return merged


def _without_strangers(
    layout: Layout, site: str, entries: Mapping[str, Any], moves: Mapping[str, Any]
) -> dict[str, Any]:
    """Credentials but for those of mailboxes that a killed run has not come to make.

    Who is in the stored document needs his until the new one is there; whoever else has some now
    would leave them to a later mailbox of that name.
    """
    stored = stored_mailboxes(layout, site)
    if stored is None and os.path.lexists(layout.document(site)):
        return dict(entries)  # nobody knows; those who leave are forgotten with the compile
    known = {*(stored or ()), *(move["from"] for move in moves.values())}
    return {address: entry for address, entry in entries.items() if address in known}


def _brought_along(
    entries: Mapping[str, Any], address: str, move: Mapping[str, str] | None, wanted: str
) -> dict[str, str]:
    found = inherited(entries, move, wanted)
    if found is None:
        raise InvalidAccounts(f"{address}: the delta has no password hash for it")
    return found
