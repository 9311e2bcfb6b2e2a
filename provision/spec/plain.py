"""Read the plain way of writing YAML quickly: block mappings, simple scalars, short flow lists.

Most site files are nothing else, and libyaml takes ten times as long to say the same. Exact or
silent: whatever is not certain to mean the same to ``compose`` gives None, and is composed then.
Places are not kept; a file with a problem is composed to show it.
"""

from __future__ import annotations

import re
from typing import Any

from provision.spec.characters import first_unseen
from provision.spec.node import SecretRef
from provision.spec.scalars import resolve_key, resolve_plain

_KEY = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_QUOTED = r"\"[^\"\\\n]*\"|'[^'\n]*'"
_REFERENCE = r"!secret [A-Za-z0-9_][A-Za-z0-9_.@/+-]*"
_PLAIN = r"[\w/][\w .,@/+()&;=*!%-]*"
# In brackets a comma ends a text (YAML 1.2.2, 7.3.3).
_IN_FLOW = r"[\w/][\w .@/+()&;=*!%-]*"
_LINE = re.compile(
    rf"( *)(?:({_KEY}):(?: +({_QUOTED}|{_REFERENCE}|{_PLAIN}|[\[{{][^#\n]*))?"
    rf"|- +({_QUOTED}|{_REFERENCE}|{_PLAIN}))? *(?:(?<= )#[^\n]*|(?<=\n)#[^\n]*)?(?:\n|\Z)|([^\n]+)"
)
_ITEM = re.compile(rf" *({_QUOTED}|{_REFERENCE}|{_IN_FLOW}) *(,|\Z)")
_PAIR = re.compile(
    rf" *({_KEY}): +({_QUOTED}|{_REFERENCE}|{_IN_FLOW}|\[[^\[\]{{}}]*\]|{{[^{{}}]*}}) *(,|\Z)"
)
_LONGEST = 4000
_DEEPEST = 12


class _NotPlainError(Exception):
    """The text says something that only the composer understands."""


def read_plain(text: str) -> dict[str, Any] | None:
    """The data of a file as ``compose`` gives it; None when that is not certain."""
    if "\t" in text or "\r" in text or "\n" not in text:
        return None
    if not text.isascii() and first_unseen(text.replace("\n", "")) is not None:
        return None
    try:
        return _Reader().read("\n" + text.removeprefix("---\n"))
    except _NotPlainError:
        return None


class _Reader:
    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self.open: list[tuple[int, Any]] = [(0, self.root)]
        self.waiting: str | None = None
        """The key of the last line, when what follows may be its value."""

    def read(self, text: str) -> dict[str, Any]:
        for spaces, key, value, item, other in _LINE.findall(text):
            if key:
                self._pair(len(spaces), key, value)
            elif item:
                self._item(len(spaces), item)
            elif other:
                raise _NotPlainError
        if not self.root:
            raise _NotPlainError
        return self.root

    def _pair(self, indent: int, key: str, value: str) -> None:
        depth, mapping = self.open[-1]
        if self.waiting is not None:
            if indent > depth:
                inner: dict[str, Any] = {}
                mapping[self.waiting] = inner
                self._descend(indent, inner)
                depth, mapping = indent, inner
            self.waiting = None
        while indent < depth:
            self.open.pop()
            depth, mapping = self.open[-1]
        if indent != depth or type(mapping) is list or key in mapping:
            raise _NotPlainError
        if resolve_key(key) is None:
            raise _NotPlainError
        if value:
            mapping[key] = _value(value)
        else:
            mapping[key] = None
            self.waiting = key

    def _item(self, indent: int, item: str) -> None:
        depth, inner = self.open[-1]
        if self.waiting is not None:
            if indent <= depth:
                raise _NotPlainError
            entries: list[Any] = []
            inner[self.waiting] = entries
            self.waiting = None
            self._descend(indent, entries)
            depth, inner = indent, entries
        if indent != depth or type(inner) is not list:
            raise _NotPlainError
        inner.append(_value(item))

    def _descend(self, indent: int, inner: Any) -> None:
        self.open.append((indent, inner))
        if len(self.open) > _DEEPEST:
            raise _NotPlainError


def _value(text: str) -> Any:
    first = text[0]
    if len(text) > _LONGEST:
        raise _NotPlainError
    if first in "\"'":
        return text[1:-1]
    if first == "!":
        return SecretRef(text[8:])
    if first == "[":
        return _list(text)
    return _mapping(text, 0) if first == "{" else resolve_plain(text.rstrip())


def _list(text: str) -> list[Any]:
    text = text.rstrip()
    if text[-1] != "]":
        raise _NotPlainError
    inner, found, at = text[1:-1], [], 0
    ended = not inner.strip()
    while not ended:
        match = _ITEM.match(inner, at)
        if match is None:
            raise _NotPlainError
        found.append(_value(match[1]))
        at, ended = match.end(), not match[2]
    return found


def _mapping(text: str, depth: int) -> dict[str, Any]:
    text = text.rstrip()
    if text[-1] != "}" or depth > _DEEPEST:
        raise _NotPlainError
    inner, at = text[1:-1], 0
    found: dict[str, Any] = {}
    ended = not inner.strip()
    while not ended:
        match = _PAIR.match(inner, at)
        if match is None or match[1] in found or resolve_key(match[1]) is None:
            raise _NotPlainError
        value = match[2]
        found[match[1]] = _mapping(value, depth + 1) if value[0] == "{" else _value(value)
        at, ended = match.end(), not match[3]
    return found
