"""Who leaves and who is renamed by a delta, written down before anything changes.

``transition.json`` in the store is ``{"leaving": {ADDRESS: RECORD}, "moves": {NEW: OLD},
"webmail": [...]}``. It is durable before the documents are, so a killed run is ended with the same
records. The end of a compile keeps of it only the renames that webmail has not taken yet
(`provision_account_webmail.People`). Standard library only; runs as root on the host.
"""

# ruff: noqa: PTH104, PTH118, PTH120 - paths are text, like everywhere in the account modules
from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from .provision_account_documents import mailboxes_of, stored_document, stored_mailboxes
from .provision_account_store import (
    Layout,
    dump,
    load,
    remove,
    sites_in,
    sync_folder,
    write,
)
from .provision_steps import Steps

GENERATED = "generated"
_KEEP_SECONDS = 30 * 86400
_NOBODY: Mapping[str, Any] = {"leaving": {}, "moves": {}, "webmail": []}


def transition_path(layout: Layout) -> str:
    """Where a transition is written down."""
    return os.path.join(layout.store, "transition.json")


def pending_transition(layout: Layout) -> dict[str, Any]:
    """The transition that is under way; one of nobody when there is none."""
    return {**_NOBODY, **(load(transition_path(layout)) or {})}


def begin_transition(
    layout: Layout, documents: Mapping[str, Any], delta: Mapping[str, Any]
) -> dict[str, Any]:
    """Work out who leaves and who is renamed by ``delta``; writes nothing."""
    before: dict[str, Any] = {}
    held: dict[str, Any] = {}
    lost: set[str] = set()
    for site in (*documents, *delta["removed"]):
        own, known = load(layout.credentials(site)) or {}, stored_mailboxes(layout, site)
        held.update(own)
        before.update(known or {})
        if known is None and os.path.lexists(layout.document(site)):
            lost.update(own)  # of a document that cannot be read
    after: dict[str, Any] = {}
    for document in documents.values():
        after.update(mailboxes_of(document))
    old = pending_transition(layout)
    wanted = {new: move["from"] for new, move in delta.get("moves", {}).items()}
    moves = {
        new: origin
        for new, origin in wanted.items()
        if new in after and new not in before and origin in before and origin not in after
    }
    moves = {**{new: origin for new, origin in old["moves"].items() if new in after}, **moves}
    gone = (before.keys() | lost) - after.keys() - set(moves.values())
    removal = delta.get("removal", {})
    leaving = {a: _record(a, before.get(a), held.get(a, {}), removal) for a in gone}
    kept = {a: record for a, record in old["leaving"].items() if a not in after}
    return {"leaving": {**kept, **leaving}, "moves": moves, "webmail": old["webmail"]}


def renamed_sites(layout: Layout, delta: Mapping[str, Any]) -> dict[str, str]:
    """New domain to the old one, of sites that come with mailboxes of one that is removed."""
    found: dict[str, str] = {}
    for new, wanted in delta.get("moves", {}).items():
        site, old = (address.rpartition("@")[2] for address in (new, wanted["from"]))
        is_new = site in delta["sites"] and not os.path.lexists(layout.document(site))
        if is_new and old in delta["removed"] and os.path.lexists(layout.document(old)):
            found[site] = old
    return found


def undo_half_renames(layout: Layout) -> dict[str, str]:
    """Give a document back the name of the site that it is of; returns new domain to old one.

    A run that was killed between the new name of a document and its new content leaves one.
    """
    undone = {}
    for site in sites_in(layout):
        old = (stored_document(layout, site) or {"site": site})["site"]
        if old != site and not os.path.lexists(layout.document(old)):
            Steps.before(f"rename {layout.document(site)} to {layout.document(old)}")
            os.rename(layout.document(site), layout.document(old))
            sync_folder(os.path.dirname(layout.document(old)))
            undone[site] = old
    return undone


def write_transition(layout: Layout, transition: Mapping[str, Any]) -> None:
    """Make it durable; a transition of nobody is no file."""
    if any(transition.values()):
        write(transition_path(layout), dump(transition))
    else:
        remove(transition_path(layout))


def end_transition(layout: Layout, waiting: list[Any]) -> None:
    """Forget it: everything in it is done, but for the renames that wait for webmail."""
    write_transition(layout, {**_NOBODY, "webmail": waiting})


def _record(
    address: str,
    account: Mapping[str, Any] | None,
    held: Mapping[str, str],
    removal: Mapping[str, Any],
) -> dict[str, Any]:
    """What is kept of a mailbox that leaves. Moments are seconds of this host's clock."""
    now = int(time.time())
    return {
        "address": address,
        "removed": now,
        "keep_until": now + int(removal.get("keep_seconds", _KEEP_SECONDS)),
        "who": removal.get("who", ""),
        "commit": removal.get("commit", ""),
        "fingerprint": held.get("fingerprint", ""),
        "hash": held.get("hash", ""),
        "account": None if account is None else dict(account),
    }


def inherited(
    entries: Mapping[str, Any], move: Mapping[str, str] | None, wanted: str
) -> dict[str, str] | None:
    """The credentials that a renamed mailbox brings along; None: it needs a hash of its own.

    The host's hash stays when the spec's password is what it was under the old address, for a
    fingerprint covers the address too, or when it was left to its owner.
    """
    old = entries.get(move["from"]) if move else None
    if old is None or move is None:
        return None
    if wanted == GENERATED or old["fingerprint"] == move["fingerprint"]:
        return {**old, "fingerprint": wanted}
    return None
