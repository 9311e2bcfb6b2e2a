"""What the operating system refused, in words for the person who must do something about it."""

from __future__ import annotations

import errno
import re

_WORDS = {
    errno.ENOSPC: "the disk is full (no space or no inode left); make room there, then apply again",
    errno.EDQUOT: "the disk quota is used up; make room there, then apply again",
    errno.EROFS: (
        "the file system is read-only; see the kernel's log for why, mount it writable again,"
        " then apply again"
    ),
    errno.EIO: "the disk reports an error; see the kernel's log",
}
_FULL = re.compile(r"No space left on device|Disk quota exceeded")


def words_of(error: Exception) -> str:
    """Where it happened and what to do, in one line."""
    number = getattr(error, "errno", None)
    if number in _WORDS:
        place = getattr(error, "filename", None)
        return f"{place or 'a file'}: {_WORDS[number]}"
    if _FULL.search(str(error)):
        return f"{error}: {_WORDS[errno.ENOSPC]}"
    return f"{type(error).__name__}: {error}"
