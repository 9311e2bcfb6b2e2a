"""YAML 1.2 core schema (YAML 1.2.2, section 10.3.2): what a plain scalar means.

YAML 1.1, which most libraries still read, makes ``no`` false, ``010`` eight and ``12:30:45`` a
number; here they are text, ten and text.
"""

from __future__ import annotations

import re
from functools import lru_cache

Plain = str | int | float | bool | None

_KEYWORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INT = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
# .inf and .nan stay text: no key of a spec takes them.
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NUMBER_START = frozenset("0123456789+-.")


def resolve_plain(text: str) -> Plain:
    """The value of a scalar written without quotes."""
    if text in _KEYWORDS:
        return _KEYWORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _INT.fullmatch(text):
        return int(text, 0) if text.startswith(("0x", "0o")) else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


@lru_cache(maxsize=1 << 12)  # the keys of mailboxes stand in every one of them
def resolve_key(text: str) -> str | None:
    """A mapping key written without quotes; None when YAML reads something else than its text.

    A canonical number is taken for its text: nothing else can be meant by a mailbox called 7.
    """
    value = resolve_plain(text)
    if isinstance(value, str) or (type(value) is int and str(value) == text):
        return text
    return None
