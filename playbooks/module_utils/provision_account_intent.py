"""An account change that was decided on: written down first, so that nothing leaves it half done.

``intent.json`` in the store is the delta that `provision_accounts.apply_delta` is about to apply.
It is there from the moment that a generation is kept until the daemons can look up every change of
it. A power cut in between is finished forwards at boot; an apply finishes it with what it brings.
Standard library only; runs as root on the host.
"""

# ruff: noqa: PTH118 - paths are joined as text, like everywhere in the account modules

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .provision_account_store import Layout, dump, load, make_folder, remove, write
from .provision_accounts import apply_delta


def intent_path(layout: Layout) -> str:
    """Where the change is written down; readable by root alone, for it holds password hashes."""
    return os.path.join(layout.store, "intent.json")


def note(layout: Layout, delta: Mapping[str, Any]) -> None:
    """Write down a change before it begins; one of nothing is no file."""
    if delta.get("sites") or delta.get("removed"):
        make_folder(layout.store)
        write(intent_path(layout), dump(delta))
    else:
        forget(layout)


def forget(layout: Layout) -> None:
    """It is done, or will never be: nobody shall do it at the next boot."""
    remove(intent_path(layout))


def finish(layout: Layout) -> list[str]:
    """Do what was written down, and forget it; returns the sites that it was about."""
    delta = load(intent_path(layout))
    if delta is None:
        return []
    apply_delta(layout, delta)
    forget(layout)
    return sorted([*delta["sites"], *delta["removed"]])
