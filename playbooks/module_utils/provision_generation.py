"""Numbered generations: one complete state of this host's files each, kept with its manifest."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from .provision_durable import Attributes, make_private, read_json, write, write_json
from .provision_layout import Layout
from .provision_request import Request, WantedFile
from .provision_seen import MEMORY


class Refused(Exception):
    """Nothing was done, and nothing will be: the reason is the message."""


def current_manifest(layout: Layout) -> dict[str, Any]:
    """The manifest of the generation that is live; an empty one on a bare host."""
    empty = {"generation": 0, "files": {}, "directories": {}, "units": [], "packages": []}
    manifest: dict[str, Any] = read_json(layout.current / "manifest.json", empty)
    return manifest


def next_number(layout: Layout) -> int:
    """A number that no generation has had, not even one that was rolled back."""
    return max(numbers_in(layout.generations), default=0) + 1


def numbers_in(folder: Path) -> list[int]:
    """The numbers of the generations that have something in ``folder``, sorted."""
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())


def digest_at(path: str) -> str | None:
    """SHA-256 of the regular file at ``path``; None when there is none."""
    found = MEMORY.look_at_file(path)
    return found[1] if found else None


def refuse_if_stale(layout: Layout, request: Request, *, recovered: tuple[int, ...] = ()) -> None:
    """Raise Refused when the host is not what the plan was made from.

    ``recovered``: the generations between which an interrupted switch was found, and undone.
    """
    number = current_manifest(layout)["generation"]
    if request.expected_generation not in {number, *recovered}:
        raise Refused(
            f"the plan is stale: it was made for generation {request.expected_generation},"
            f" the host has {number}"
        )
    for path, digest in (request.observed or {}).items():
        if digest_at(layout.live_text(path)) != digest:
            raise Refused(f"the plan is stale: {path} has changed since it was made")


def needs_generation(layout: Layout, request: Request) -> bool:
    """True when the files on the host are not all as asked, or the manifest is another one."""
    manifest = current_manifest(layout)
    recorded = {key: value for key, value in manifest.items() if key != "generation"}
    if recorded != request.manifest():
        return True
    return any(not is_as_wanted(layout, file) for file in request.files) or any(
        not is_directory_as_wanted(layout.live(directory.path), directory.attributes)
        for directory in request.directories
    )


def is_as_wanted(layout: Layout, file: WantedFile) -> bool:
    """True when the live file has the bytes, mode and owner of the request."""
    found = MEMORY.look_at_file(layout.live_text(file.path))
    if found is None or found[1] != file.sha256:
        return False
    return Attributes.of(found[0]) == file.attributes


def is_directory_as_wanted(path: Path, attributes: Attributes) -> bool:
    """True when the directory exists with this mode and owner."""
    return path.is_dir() and Attributes.of(path.lstat()) == attributes


def stage(layout: Layout, number: int, request: Request) -> None:
    """Write generation ``number`` beside the live one: its files and manifest.json.

    Files that the controller did not send are copied from the live ones, which have been compared.
    Never hard links: a live map must lose its last link when it is replaced, for daemons to see it.
    """
    tree = layout.staged(number)
    make_private(tree)
    for file in request.files:
        content = request.blobs.get(file.sha256)
        if content is None:
            content = layout.live(file.path).read_bytes()
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise Refused(f"the plan is stale: {file.path} has changed since it was made")
        write(tree / file.path.lstrip("/"), content, file.attributes)
    write_json(
        layout.generation(number) / "manifest.json", {**request.manifest(), "generation": number}
    )


def point_current_at(layout: Layout, number: int) -> str:
    """The target of the ``current`` symlink for a generation."""
    return os.path.relpath(layout.generation(number), layout.state)
