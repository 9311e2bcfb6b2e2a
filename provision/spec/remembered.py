"""Remember the outlines of site files between runs, by the content of each file.

``FLEET/.provision/cache/outlines`` is one file, replaced as a whole: a line with a keyed digest,
then JSON. The key is derived from the fleet's own, so a file that was damaged, cut off, made by
another version or with other defaults, or written by anybody who does not know the fleet's secrets
is as good as none. It holds names and digests, no passwords and no hashes.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision.model.secret import Secret
from provision.spec.memory_switch import is_off
from provision.spec.outline import Outline

LARGEST = 256 * 1024**2
"""Bytes; a larger file is neither written nor read."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was made of a file of this content."""

    digest: str
    values: list[Any]


def content_digest(content: bytes) -> str:
    """By what the content of a file is known again."""
    return hashlib.sha256(content).hexdigest()


class Memory:
    """The outlines of one fleet; ``about`` is all that they depend on beside the files."""

    def __init__(self, fleet_dir: Path, key: Secret, about: str) -> None:
        self._folder = fleet_dir / ".provision" / "cache"
        self._key = hmac.digest(key.reveal().encode(), b"outlines", "sha256")
        self._about = hashlib.sha256(about.encode()).hexdigest()
        self._is_on = not is_off()

    def recall(self) -> Mapping[str, Kept]:
        """What was kept, by file; empty when there is nothing that can be trusted."""
        if not self._is_on:
            return {}
        try:
            with (self._folder / "outlines").open("rb") as file:
                content = file.read(LARGEST)
        except OSError:
            return {}
        seal, _, text = content.partition(b"\n")
        if not hmac.compare_digest(seal, self._seal(text)):
            return {}
        values = json.loads(text)
        if values["about"] != self._about:
            return {}
        return {file: Kept(*entry) for file, entry in values["files"].items()}

    def keep(self, outlines: Mapping[str, Kept]) -> None:
        """Replace what was kept; a folder that cannot be written costs speed only."""
        if not self._is_on:
            return
        files = {file: [kept.digest, kept.values] for file, kept in outlines.items()}
        text = json.dumps({"about": self._about, "files": files}, separators=(",", ":")).encode()
        if len(text) < LARGEST - 100:
            with contextlib.suppress(OSError):
                self._write(self._seal(text) + b"\n" + text)

    def _seal(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256").hex().encode()

    def _write(self, content: bytes) -> None:
        """Beside and renamed over: runs at the same time each leave a whole file."""
        self._folder.parent.mkdir(mode=0o700, exist_ok=True)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        temporary = self._folder / f".new-{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(content)
            temporary.rename(self._folder / "outlines")
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def outline_of(kept: Kept) -> Outline:
    """The outline that was kept."""
    return Outline.from_values(kept.values)
