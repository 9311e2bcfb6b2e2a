"""Amounts with units: sizes in bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIZE = re.compile(r"([0-9]{1,16})([KMGT]?)")
_FACTOR = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_LARGEST = 1024**5


@dataclass(frozen=True, order=True, slots=True)
class Size:
    """A number of bytes; written with K, M, G or T, powers of 1024 as Dovecot counts."""

    bytes: int

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read ``2G``, ``500M``, ``1048576``; raises ValueError that says what is wrong."""
        match = _SIZE.fullmatch(text.strip())
        if not match:
            raise ValueError("a size is a whole number with K, M, G or T, as in 2G")
        size = int(match[1]) * _FACTOR[match[2]]
        if not 0 < size <= _LARGEST:
            raise ValueError("a size is between 1 byte and 1024T")
        return cls(size)

    def __str__(self) -> str:
        for unit in "TGMK":
            if self.bytes % _FACTOR[unit] == 0:
                return f"{self.bytes // _FACTOR[unit]}{unit}"
        return str(self.bytes)
