"""Write so that a power cut leaves the old or the new, never a part.

The order is the promise: bytes to a temporary name in the same directory, owner and mode, fsync of
the file, rename, fsync of the directory (rename(2), fsync(2)). Directories are walked by
descriptor, and a symlink is followed only where root alone could have put it.
"""

from __future__ import annotations

import errno
import grp
import json
import os
import pwd
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from .provision_steps import Steps

_TEMPORARY = re.compile(r"\.provision-[0-9a-f]{16}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Attributes(NamedTuple):
    """Mode and owner of a file or directory."""

    mode: int
    owner: str
    group: str

    def ids(self) -> tuple[int, int]:
        """Owner and group as numbers; KeyError when the host knows no such name."""
        return _number(pwd.getpwnam, self.owner), _number(grp.getgrnam, self.group)

    @classmethod
    def of(cls, status: os.stat_result) -> Attributes:
        """What stat(2) says, with names where the host knows them."""
        return cls(
            stat.S_IMODE(status.st_mode),
            _name(pwd.getpwuid, status.st_uid),
            _name(grp.getgrgid, status.st_gid),
        )


def _number(look_up: Callable[[str], Any], name: str) -> int:
    return int(name) if name.isdigit() else int(look_up(name)[2])


@cache
def _name(look_up: Callable[[int], Any], number: int) -> str:
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


@contextmanager
def parent_of(path: Path, *, create: bool = False) -> Iterator[int]:
    """Descriptor of the directory that holds ``path``.

    Raises OSError (ELOOP) for a symlink in a directory that others than root may write to.
    """
    descriptor = os.open("/", _FOLDER)
    try:
        for name in path.parent.parts[1:]:
            descriptor = _descend(descriptor, name, create=create)
        yield descriptor
    finally:
        os.close(descriptor)


def _descend(descriptor: int, name: str, *, create: bool) -> int:
    try:
        below = _open_folder(descriptor, name)
    except FileNotFoundError:
        if not create:
            raise
        Steps.before(f"make directory {name}")
        os.mkdir(name, 0o755, dir_fd=descriptor)
        os.fsync(descriptor)
        below = _open_folder(descriptor, name)
    os.close(descriptor)
    return below


def _open_folder(descriptor: int, name: str) -> int:
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.ENOTDIR} or not _is_roots_alone(descriptor):
            raise
        return os.open(name, _FOLDER, dir_fd=descriptor)


def _is_roots_alone(descriptor: int) -> bool:
    status = os.fstat(descriptor)
    return status.st_uid == 0 and not status.st_mode & 0o022


SETTLED = 3.0
"""Seconds after which Postfix takes a file for quiet and reads it without waiting
(postfix/src/util/dict.c, dict_load_file_xt). A file that was renamed into place is whole at once.
"""


def write(path: Path, content: bytes, attributes: Attributes, *, age: float = 0.0) -> None:
    """Put a file at ``path``, whole or not at all; missing parents are made, mode 0755.

    ``age``: how many seconds ago it shall seem to be written.
    """
    user, group = attributes.ids()
    temporary = f".provision-{secrets.token_hex(8)}"
    with parent_of(path, create=True) as folder:
        Steps.before(f"write {path}")
        file = _create(path, temporary, folder)
        try:
            _fill(file, content)
            os.fchown(file, user, group)
            os.fchmod(file, attributes.mode)
            moment = time.time() - age
            os.utime(file, (moment, moment))
            os.fsync(file)
            Steps.before(f"rename to {path}")
            os.rename(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            with suppress(OSError):
                _forget(temporary, folder)
            raise OSError(error.errno, error.strerror, str(path)) from error
        except BaseException:
            _forget(temporary, folder)
            raise
        finally:
            os.close(file)
        os.fsync(folder)


def _create(path: Path, temporary: str, folder: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(temporary, flags, 0o600, dir_fd=folder)
    except OSError as error:  # a person knows the file that it was for
        raise OSError(error.errno, error.strerror, str(path)) from error


def _fill(file: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]


def _forget(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def write_json(path: Path, values: Any) -> None:
    """Put JSON at ``path``, readable by root alone."""
    content = json.dumps(values, indent=1, sort_keys=True).encode() + b"\n"
    write(path, content, Attributes(0o600, str(os.getuid()), str(os.getgid())))


def read_json(path: Path, default: Any = None) -> Any:
    """Read JSON; ``default`` when there is no such file."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return default


def remove(path: Path) -> None:
    """Remove a file or symlink, durably; nothing happens when there is none."""
    try:
        with parent_of(path) as folder:
            os.stat(path.name, dir_fd=folder, follow_symlinks=False)  # nothing there: no step
            Steps.before(f"remove {path}")
            os.unlink(path.name, dir_fd=folder)
            os.fsync(folder)
    except (FileNotFoundError, NotADirectoryError):
        pass


def remove_empty(path: Path) -> None:
    """Remove a directory durably; one in which somebody else has something stays."""
    with suppress(OSError), parent_of(path) as folder:
        Steps.before(f"remove directory {path}")
        os.rmdir(path.name, dir_fd=folder)
        os.fsync(folder)


def sweep(folder: Path) -> None:
    """Remove temporary files that a killed ``write`` has left in ``folder``."""
    if not folder.is_dir():
        return
    with parent_of(folder / "any") as descriptor:
        for name in os.listdir(descriptor):  # noqa: PTH208 - by descriptor
            if _TEMPORARY.fullmatch(name):
                _forget(name, descriptor)


def link(path: Path, target: str) -> None:
    """Make ``path`` a symlink to ``target``, replacing what was there in one step."""
    temporary = f".provision-{secrets.token_hex(8)}"
    with parent_of(path) as folder:
        Steps.before(f"link {path}")
        os.symlink(target, temporary, dir_fd=folder)
        os.rename(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)


def move_over(path: Path, copy: Path) -> None:
    """Let ``copy``, on the same file system, take the place of ``path``: it needs no room."""
    moment = time.time() - SETTLED
    os.utime(copy, (moment, moment))
    with parent_of(path) as folder, parent_of(copy) as source:
        Steps.before(f"move {copy} to {path}")
        os.rename(copy.name, path.name, src_dir_fd=source, dst_dir_fd=folder)
        os.fsync(folder)
        os.fsync(source)


def make_private(path: Path) -> None:
    """Make a folder that root alone can read, durably; nothing happens when it is there."""
    if not path.is_dir():
        ensure_directory(path, Attributes(0o700, str(os.getuid()), str(os.getgid())))


def ensure_directory(path: Path, attributes: Attributes) -> None:
    """Make a directory, or give an existing one its mode and owner."""
    user, group = attributes.ids()
    with parent_of(path, create=True) as folder:
        Steps.before(f"directory {path}")
        with suppress(FileExistsError):
            os.mkdir(path.name, 0o700, dir_fd=folder)
        descriptor = _open_folder(folder, path.name)
        try:
            os.fchown(descriptor, user, group)
            os.fchmod(descriptor, attributes.mode)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.fsync(folder)
