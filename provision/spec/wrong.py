"""The error of a value that cannot be parsed: what is wrong, and what to write instead."""

from __future__ import annotations


class WrongError(ValueError):
    """A value is wrong; the message never repeats a value that may be a secret."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
