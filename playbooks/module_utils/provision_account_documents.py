"""The account documents that are stored, as far as they can be read.

One that is cut off, or is none of ours, is as good as none: a plan shows that its site is rebuilt,
and nothing that the old one says may hinder that. Standard library only; runs as root on the host.
"""

from __future__ import annotations

import contextlib
from typing import Any

from .provision_account_store import Layout, load

_KEYS = {"site", "domain_aliases", "mailboxes"}


def stored_document(layout: Layout, site: str) -> dict[str, Any] | None:
    """The document of a site; None when there is none that can be read."""
    with contextlib.suppress(ValueError):
        document = load(layout.document(site))
        if isinstance(document, dict) and document.keys() >= _KEYS:
            return document
    return None


def stored_mailboxes(layout: Layout, site: str) -> dict[str, Any] | None:
    """Address to mailbox of a site's document; None when there is none that can be read."""
    document = stored_document(layout, site)
    with contextlib.suppress(KeyError, TypeError):
        return mailboxes_of(document) if document else None
    return None


def mailboxes_of(document: dict[str, Any]) -> dict[str, Any]:
    """Address to mailbox of a document."""
    return {str(entry["address"]): entry for entry in document["mailboxes"]}
