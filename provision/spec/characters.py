"""Characters that have no business in a spec: control, invisible, and those that turn text around.

Unicode bidirectional controls can make a reviewed line read differently from what it does
("Trojan Source", CVE-2021-42574), and default-ignorable characters make two different names look
the same (UTS #39, section 3.1).
"""

from __future__ import annotations

import re
import unicodedata

_RAW_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\r(?!\n)"
)
_TELLING = re.compile(
    r"pass|pwd|pw$|secret|token|credential|hash|key|\{[A-Z0-9-]+\}", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,30}")
# Default-ignorable or blank characters that str.isprintable() takes for printable.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


def first_refused_in_source(text: str) -> re.Match[str] | None:
    """The first character that no YAML file of a fleet may hold, not even in a comment."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return None  # sooner known than by looking for every single one
    return _RAW_REFUSED.search(text)


def first_unseen(text: str) -> str | None:
    """The first control, invisible or bidirectional character of a value, or None."""
    if text.isprintable() and (text.isascii() or not _IGNORABLE.search(text)):
        return None
    return next(char for char in text if not char.isprintable() or _IGNORABLE.match(char))


def describe(char: str) -> str:
    """A name that can be shown for a character that cannot, as in ``U+202E ...OVERRIDE``."""
    plain = {"\n": "a line break", "\r": "a carriage return", "\t": "a tab", "\0": "a NUL byte"}
    if char in plain:
        return plain[char]
    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X}" + (f" ({name})" if name else "")


def visible(text: str) -> str:
    r"""``text`` with everything that cannot be seen written as ``\u{202E}``."""
    if first_unseen(text) is None:
        return text
    return "".join(
        char if first_unseen(char) is None else f"\\u{{{ord(char):04X}}}" for char in text
    )


def sounds_secret(text: str) -> bool:
    """True for a key or text in which a password may stand, or that announces one."""
    return bool(_TELLING.search(text))


def shown(text: str, *, limit: int = 80) -> str:
    """``visible`` text in quotes, cut to what fits a message; masked when it sounds secret."""
    if sounds_secret(text) and not _WORD.fullmatch(text):
        return "(not shown)"
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return f"'{visible(cut)}'"
