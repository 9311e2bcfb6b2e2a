"""What was read of files before, so that those that have not changed since are not read again.

The kernel moves a file's ctime with every change of its content, mode, owner or name, and nobody
can set it (inode(7)): a file with the inode, size and ctime that it had when it was read holds what
was read. Timestamps have steps, of a second on old file systems, so a file counts only when its
last change was ``SETTLED`` nanoseconds ago (git calls younger ones racy).

    /var/lib/provision/seen/digests     a seal, then a line for each file: path, mark, SHA-256
    /var/lib/provision/seen/paths       what it was made for, a seal, then every path that an
                                        observation depends on, between NULs

An apply writes both, under the host's lock; whoever looks at the host only reads them. When they
are missing, damaged or old, files are read. Standard library only and few modules: the observer
carries this one, too.
"""

# ruff: noqa: PTH123 - paths as text: pathlib costs more to import than the looking

from __future__ import annotations

import hashlib
import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = "/var/lib/provision/seen"
SETTLED = 2 * 10**9


def mark_of(state: os.stat_result) -> str:
    """By what a file is known not to have changed."""
    return f"{state.st_ino} {state.st_size} {state.st_ctime_ns}"


def is_settled(state: os.stat_result) -> bool:
    """True when a later change is sure to have another mark; a clock that went back says no."""
    return time.time_ns() - state.st_ctime_ns > SETTLED


class Memory:
    """Digests by path, each good for one mark."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def recall(self, folder: str) -> None:
        """Take over what an apply has written down; nothing when that cannot be trusted."""
        try:
            with open(f"{folder}/digests", "rb") as file:
                seal, _, content = file.read().partition(b"\n")
        except OSError:
            return
        if content and _seal(content) == seal:
            for line in content.decode().split("\n"):
                path, mark, digest = line.split("\t")
                self._known[path] = (mark, digest)

    def look(self, path: str) -> tuple[os.stat_result, str] | None:
        """Status and SHA-256 of what stands at a path; None when nothing does.

        Raises OSError where there is something other than a file that can be read.
        """
        try:
            state = os.lstat(path)
        except FileNotFoundError:
            return None
        return state, self._digest(path, state)

    def look_at_file(self, path: str) -> tuple[os.stat_result, str] | None:
        """The same of a regular file; None for anything else, and when nothing is there."""
        try:
            state = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return (state, self._digest(path, state)) if stat.S_ISREG(state.st_mode) else None

    def _digest(self, path: str, state: os.stat_result) -> str:
        known = self._known.get(path)
        if known is not None and known[0] == mark_of(state):
            return known[1]
        digest = _read_digest(path)
        if is_settled(state) and stat.S_ISREG(state.st_mode):
            self._known[path] = (mark_of(state), digest)
        return digest

    def text(self, paths: Iterable[str]) -> bytes:
        """The file ``digests`` about these files, which are read now where that is needed."""
        lines = []
        for path in paths:
            found = self.look_at_file(path) if path.isprintable() else None
            if found is not None and is_settled(found[0]):
                lines.append(f"{path}\t{mark_of(found[0])}\t{found[1]}")
        content = "\n".join(lines).encode()
        return _seal(content) + b"\n" + content


MEMORY = Memory()
"""The memory of this process."""


def _read_digest(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def purpose(manifest: str, compiled: str) -> str:
    """What a list of paths is made for: this manifest of files, this record of accounts."""
    return ", ".join(_described(path) for path in (os.path.realpath(manifest), compiled))


def list_of(paths: Iterable[str], purpose: str) -> bytes:
    """The file ``paths``."""
    names = "\0".join(sorted(set(paths))).encode()
    return purpose.encode() + b"\n" + _seal(names) + b"\n" + names


def marks(folder: str, wanted: str, others: Iterable[str]) -> str:
    """One digest of the marks of everything in the list, and of ``others``.

    Equal digests: nothing of it has changed. Empty where that cannot be said: there is no list for
    the ``wanted`` purpose, or something has changed just now.
    """
    try:
        with open(f"{folder}/paths", "rb") as file:
            content = file.read()
    except OSError:
        return ""
    made_for, _, rest = content.partition(b"\n")
    seal, _, names = rest.partition(b"\n")
    if made_for != wanted.encode() or _seal(names) != seal:
        return ""
    told = _told_by_two([*names.split(b"\0"), *map(os.fsencode, others)])
    if any(newest < 0 or time.time_ns() - newest <= SETTLED for newest, _ in told):
        return ""
    return hashlib.sha256(content + repr([digest for _, digest in told]).encode()).hexdigest()


_MANY = 4000
"""Paths from which on a second processor pays for itself: the system calls are all of the work."""
_NOTHING_TOLD = (-1, "")


def _told_by_two(paths: list[bytes]) -> list[tuple[int, str]]:
    """The newest change and a digest of the marks, of one half and of the other."""
    if len(paths) < _MANY:
        return [_tell(paths)]
    middle = len(paths) // 2
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, "{} {}".format(*_tell(paths[middle:])).encode())
        finally:
            os._exit(0)
    os.close(writer)
    mine = _tell(paths[:middle])
    with open(reader, encoding="ascii") as pipe:
        newest_word, _, digest = pipe.read().partition(" ")
    os.waitpid(child, 0)
    return [mine, (int(newest_word), digest) if digest else _NOTHING_TOLD]


def _tell(paths: list[bytes]) -> tuple[int, str]:
    found: list[tuple[int, int, int] | None] = []
    newest = 0
    for path in paths:
        try:
            state = os.lstat(path)
        except OSError:
            found.append(None)
            continue
        found.append((state.st_ino, state.st_size, state.st_ctime_ns))
        newest = max(newest, state.st_ctime_ns)
    return newest, hashlib.sha256(repr(found).encode()).hexdigest()


def _described(path: str) -> str:
    try:
        return f"{path} {mark_of(os.lstat(path))}"
    except OSError:
        return path
