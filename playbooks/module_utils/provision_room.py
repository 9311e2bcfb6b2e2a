"""Is there room for an apply? Looked at before anything changes: full disks are found here.

What is needed is counted generously: every file is written once into the new generation, what it
replaces is copied, and each live file stands beside its successor for a moment.
"""

from __future__ import annotations

import os
from pathlib import Path

from .provision_account_store import Layout as AccountLayout
from .provision_generation import Refused
from .provision_layout import Layout
from .provision_request import Request

_BLOCK = 4096
_SPARE = 256 * 1024
"""Bytes for records, and for what others write meanwhile."""
_SPARE_FILES = 64
_TIMES = 3
"""Account files are stored, compiled, and built beside the live ones."""


def refuse_without_room(layout: Layout, request: Request, *, stages: bool) -> None:
    """Raise Refused when a file system has not got the space or inodes that the apply needs."""
    wanted = request.files if stages else []
    sizes = [_size(layout, file.path, request.blobs.get(file.sha256)) for file in wanted]
    staged, files = 2 * sum(sizes), 3 * len(sizes)
    accounts = _accounts_size(layout, request)
    needs = {
        layout.state: (staged + accounts, files),
        layout.live("/etc"): (max(sizes, default=0), 0),
        layout.live("/etc/postfix"): (accounts, 0),
        layout.live("/etc/dovecot"): (accounts, 0),
    }
    together: dict[int, tuple[Path, int, int]] = {}
    for place, (size, count) in needs.items():
        if place.is_dir():
            first, had, counted = together.get(place.stat().st_dev, (place, _SPARE, _SPARE_FILES))
            together[place.stat().st_dev] = (first, had + size, counted + count)
    for place, size, count in together.values():
        _refuse_when_short(place, size, count)


def _refuse_when_short(place: Path, size: int, count: int) -> None:
    state = os.statvfs(place)
    has = state.f_bavail * state.f_frsize
    if has < size:
        raise Refused(
            f"the file system of {place} has {has // 1024} KiB left and this apply may need"
            f" {size // 1024 + 1} KiB: make room there, then apply again; nothing was changed"
        )
    if state.f_files and state.f_favail < count:  # some file systems count no inodes: 0
        raise Refused(
            f"the file system of {place} has {state.f_favail} inodes left and this apply may need"
            f" {count}: remove files there, then apply again; nothing was changed"
        )


def _size(layout: Layout, path: str, content: bytes | None) -> int:
    live = layout.live(path)
    there = live.stat().st_size if live.is_file() else 0
    return -(-max(there, len(content or b"")) // _BLOCK) * _BLOCK


def _accounts_size(layout: Layout, request: Request) -> int:
    """Bytes that the account files may need; none when no account changes."""
    delta = request.accounts
    if not any(delta.get(name) for name in ("sites", "removed", "mend")):
        return 0
    documents, hashes = delta.get("sites", {}), delta.get("hashes", {})
    sent = sum(map(len, documents.values())) + 256 * len(hashes) + _BLOCK * len(documents)
    folder = Path(AccountLayout(root=str(layout.root)).postfix)
    return _TIMES * (sent + sum(path.stat().st_size for path in folder.glob("*.cdb")))
