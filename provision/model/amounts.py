"""Amounts with units: sizes in bytes, durations in seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIZE = re.compile(r"([0-9]{1,16})([KMGT]?)")
_FACTOR = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_LARGEST = 1024**5
_DURATION = re.compile(r"([0-9]{1,9})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_LONGEST = 100 * 366 * 86400


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

    def about(self) -> str:
        """The size for people, with two digits that count: ``1.2G``, ``340K``, ``17B``."""
        for unit in "TGMK":
            amount = self.bytes / _FACTOR[unit]
            if amount >= 1:
                return f"{amount:.1f}{unit}" if amount < 10 else f"{amount:.0f}{unit}"
        return f"{self.bytes}B"


@dataclass(frozen=True, order=True, slots=True)
class Duration:
    """A number of seconds; written with s, m, h, d or w."""

    seconds: int

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read ``30d``, ``12h``, ``2w``; raises ValueError that says what is wrong."""
        match = _DURATION.fullmatch(text.strip())
        if not match:
            raise ValueError("a duration is a whole number with s, m, h, d or w, as in 30d")
        seconds = int(match[1]) * _SECONDS[match[2]]
        if not 0 < seconds <= _LONGEST:
            raise ValueError("a duration is between 1 second and 100 years")
        return cls(seconds)

    def words(self) -> str:
        """The duration for people: ``30 days``, ``1 hour``."""
        names = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
        for unit, name in names.items():
            if self.seconds % _SECONDS[unit] == 0:
                number = self.seconds // _SECONDS[unit]
                return f"{number} {name}{'s' * (number != 1)}"
        return f"{self.seconds} seconds"

    def __str__(self) -> str:
        for unit in "wdhm":
            if self.seconds % _SECONDS[unit] == 0:
                return f"{self.seconds // _SECONDS[unit]}{unit}"
        return f"{self.seconds}s"
