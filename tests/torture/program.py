"""Which program and which fleet a sweep tries: points of one state say nothing about another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tests.lab.rehearsal import ROOT

_PLACES = ("provision", "playbooks", "templates", "inventories/demo", "tests/torture/specs.py")
_NOT_OURS = {"__pycache__", ".provision"}


def program_digest(root: Path = ROOT) -> str:
    """A digest of all files that decide on the steps of an apply."""
    digest = hashlib.sha256()
    for path in _files(root):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for place in _PLACES:
        found = [root / place, *sorted((root / place).rglob("*"))]
        yield from (path for path in found if path.is_file() and _NOT_OURS.isdisjoint(path.parts))
