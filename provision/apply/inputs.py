"""All that a plan depends on but the hosts, and by what it is known not to have changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from provision import __version__
from provision.assets import program_state
from provision.hosts.connection import Connection

_SETTLED = 2 * 10**9
"""Nanoseconds after which a later change of a file is sure to have another mark: timestamps have
steps, of up to two seconds (git calls younger ones racy)."""

_File = tuple[str, os.stat_result]


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan was made from."""

    digest: str
    """Of the content of everything."""
    marks: str
    """Of inodes, sizes and times; empty where they could not be relied on."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Folder, program, day, way to the hosts."""

    fleet_dir: Path
    connection: Connection
    vault_password_file: Path | None

    def look(self) -> Look:
        """The files as they are now. The day, because certificates come due."""
        day = time.strftime("%Y-%m-%d")
        about = [__version__, day, repr(self.connection), str(self.fleet_dir.resolve())]
        now = time.time_ns()
        return Look("\0".join([*about, *program_state()]), tuple(self._files()), now)

    def _files(self) -> Iterator[_File]:
        """Regular files and their states; a link of an editor to nowhere is none."""
        for path in self._paths():
            with contextlib.suppress(OSError):
                state = os.stat(path)  # noqa: PTH116 - thousands of them
                if stat.S_ISREG(state.st_mode):
                    yield path, state

    def _paths(self) -> Iterator[str]:
        local = self.fleet_dir / ".provision"
        for folder, folders, names in os.walk(self.fleet_dir):
            if Path(folder) == self.fleet_dir:
                folders[:] = [name for name in folders if name not in {".git", ".provision"}]
            folders.sort()
            yield from (f"{folder}/{name}" for name in sorted(names))
        for folder, folders, names in os.walk(local / "ca"):
            folders.sort()
            yield from (f"{folder}/{name}" for name in sorted(names))
        others = (local / "vault-password", self.vault_password_file)
        yield from (str(path) for path in others if path)


@dataclass(frozen=True, slots=True)
class Look:
    """The inputs at one moment; their content is read only where that is asked for."""

    about: str
    files: Sequence[_File]
    moment: int
    """Nanoseconds since 1970, before the files were looked at."""

    def marks(self) -> str:
        """A digest of the files' marks: equal ones mean equal content.

        The kernel moves a file's ctime with every change, and nobody can set it (inode(7)). Empty
        when a file changed only just now, or a clock went back.
        """
        if any(self.moment - state.st_ctime_ns <= _SETTLED for _path, state in self.files):
            return ""
        marks = "\0".join(f"{path}\0{_mark(state)}" for path, state in self.files)
        return hashlib.sha256(f"{self.about}\0{marks}".encode()).hexdigest()

    def is_newer_than(self, path: Path) -> bool:
        """True when a file was written after this one: then nobody need digest them to know."""
        limit = path.stat().st_mtime_ns
        return any(state.st_mtime_ns > limit for _path, state in self.files)

    def digest(self) -> str:
        """A digest of what the files hold."""
        digest = hashlib.sha256(self.about.encode())
        for path, _state in self.files:
            content = _read_bytes(path)
            digest.update(f"\0{path}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    def basis(self) -> Basis:
        """Both. What is changed while it is read has another mark the next time."""
        return Basis(self.digest(), self.marks())


def _mark(state: os.stat_result) -> str:
    """The time of writing, too: there are file systems whose ctime is something else."""
    times = f"{state.st_ctime_ns} {state.st_mtime_ns}"
    return f"{state.st_dev} {state.st_ino} {state.st_size} {times}"


def _read_bytes(path: str) -> bytes:
    """The content of a file; what cannot be read is in no plan, and counts as empty."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - thousands of them: a third of the time
            return file.read()
    except OSError:
        return b""
