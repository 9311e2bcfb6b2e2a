"""Write down what this host's files hold and by what they are known, at the end of an apply.

It is a help for whoever looks next, and nothing rests on it: see provision_seen.
"""

from __future__ import annotations

import os
from contextlib import suppress

from .provision_account_store import Layout as AccountLayout
from .provision_account_store import live_files, sites_in
from .provision_durable import Attributes, make_private, sweep, write
from .provision_generation import current_manifest
from .provision_layout import Layout
from .provision_seen import FOLDER, MEMORY, list_of, purpose


def recall_seen(layout: Layout) -> None:
    """Take over what the last apply has written down."""
    MEMORY.recall(str(layout.live(FOLDER)))


def write_seen(layout: Layout) -> None:
    """Write it down; where that does not work, no apply has failed: all is read again next time."""
    folder = layout.live(FOLDER)
    with suppress(OSError, ValueError):
        make_private(folder)
        sweep(folder)
        for name, content in _contents(layout).items():
            write(folder / name, content, Attributes(0o600, str(os.getuid()), str(os.getgid())))


def _contents(layout: Layout) -> dict[str, bytes]:
    files, accounts = _files(layout), AccountLayout(root=str(layout.root))
    made_for = purpose(str(layout.current / "manifest.json"), accounts.compiled)
    return {
        "digests": MEMORY.text(files),
        "paths": list_of([*files, *_folders(layout)], made_for),
    }


def _files(layout: Layout) -> list[str]:
    """Everything that an observation reads and only an apply changes."""
    accounts = AccountLayout(root=str(layout.root))
    found = [layout.live_text(path) for path in current_manifest(layout)["files"]]
    found += [accounts.at(path) for path in live_files(accounts)]
    for site in sites_in(accounts):
        found += [accounts.document(site), accounts.credentials(site)]
    return [*found, str(layout.current / "manifest.json"), accounts.compiled]


def _folders(layout: Layout) -> list[str]:
    """Directories in which something may appear, or that have a mode of ours."""
    accounts = AccountLayout(root=str(layout.root))
    store = [os.path.join(accounts.store, name) for name in ("sites", "credentials")]  # noqa: PTH118
    read = [accounts.dovecot, os.path.join(accounts.dovecot, "forwards"), accounts.postfix]  # noqa: PTH118
    managed = [layout.live_text(path) for path in current_manifest(layout)["directories"]]
    return [*store, *read, *managed]
