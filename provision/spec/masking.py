"""Which parts of a YAML file may be shown back: never a value that could be a secret.

A password often stands in a file exactly when the file is wrong: in the wrong place, under a
misspelt key, on a line that is not YAML. So a value is shown only where the models expect a text
that is no secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from provision.spec.characters import sounds_secret
from provision.spec.door import FleetFile, SiteFile
from provision.spec.door_model import DoorModel
from provision.spec.folder import FLEET_FILE
from provision.spec.node import Document, Node, SecretRef
from provision.spec.quotes import Span

SECRET_KEYS = frozenset({"password", "password_hash", "key"})
_TO_THE_END = 1 << 30
_KEY = re.compile(r"""(?:^|(?<=[\s{,\-"']))["']?([\w.@+/-]+)["']?\s*:(?=\s|$)""")
_COMMENT = re.compile(r"(?:^|\s)(#.*)")
_PLAIN_KEY = re.compile(r"[\w.@+-]{1,64}")
_REFERENCE = re.compile(r"\s*!secret [\w./@+-]+[\s,}\]]*")
# One simple value, and what opens or closes around it; anything else could hide a misspelt key.
_SIMPLE = re.compile(
    r"""\s*(?:[{\[]*|"[^"]*"|'[^']*'|\[[\w.@+\-, ]*\]?|[\w./@+\ufffd-][\w./@+\ufffd -]*)[\s,\]}]*"""
)


def hidden_spans(document: Document) -> list[Span]:
    """What to hide of a document that is YAML."""
    model = FleetFile if document.file == FLEET_FILE else SiteFile
    return [span for node in _hidden(document.root, model) for span in _spans(node)]


def _hidden(node: Node, shape: Any) -> Iterator[Node]:
    """Scalars below ``node`` that are not a text which ``shape`` expects and that is no secret."""
    shape = _plain(shape)
    if node.children is None:
        if shape is None or _is_container(shape) or sounds_secret(str(node.data)):
            yield node
    elif isinstance(node.children, list):
        element = get_args(shape)[0] if get_origin(shape) is list else None
        for child in node.children:
            yield from _hidden(child, element)
    else:
        for key, child in [*node.children.items(), *node.refused]:
            expected = _value_shape(shape, key)
            if key in node.keys and _is_odd_key(key, child, expected):
                yield node.keys[key]
            yield from _hidden(child, expected)


def _is_odd_key(key: str, value: Node, expected: Any) -> bool:
    """True when a missing colon or brace may have made a password of the key."""
    if expected is not None:
        return bool(set(key) & set("{}[],"))
    return value.data is None or not _PLAIN_KEY.fullmatch(key)


def _value_shape(shape: Any, key: str) -> Any:
    """What a mapping of ``shape`` expects at ``key``; None: nothing that may be shown."""
    if isinstance(shape, type) and issubclass(shape, DoorModel):
        return _field(shape, key)
    return get_args(shape)[1] if get_origin(shape) is dict else None


def _plain(shape: Any) -> Any:
    """Without Annotated and ``| None``."""
    if get_origin(shape) is Annotated:
        return _plain(get_args(shape)[0])
    if get_origin(shape) in (Union, UnionType):
        first = next(part for part in get_args(shape) if part is not type(None))
        return _plain(first)
    return shape


def _is_container(shape: Any) -> bool:
    is_model = isinstance(shape, type) and issubclass(shape, DoorModel)
    return is_model or get_origin(shape) in (dict, list)


def _field(model: type[DoorModel], key: str) -> Any:
    """What the model expects at ``key``, forgiving a slip of the finger; None: hide it."""
    near = difflib.get_close_matches(key.lower(), list(model.model_fields), n=1, cutoff=0.7)
    if not near or near[0] in SECRET_KEYS or sounds_secret(key):
        return None
    return model.model_fields[near[0]].annotation


def _spans(node: Node) -> Iterator[Span]:
    if isinstance(node.data, SecretRef | bool):
        return
    for line in range(node.line, node.end_line + 1):
        first = node.column if line == node.line else 0
        last = node.end_column if line == node.end_line else _TO_THE_END
        yield line, first, last


@cache
def _safe_keys() -> frozenset[str]:
    models: list[type[DoorModel]] = [FleetFile, SiteFile]
    found: set[str] = set()
    for model in models:
        for name, field in model.model_fields.items():
            found.add(name)
            models += [inner for inner in _models_in(field.annotation) if inner not in models]
    return frozenset(found) - SECRET_KEYS


def _models_in(shape: Any) -> Iterator[type[DoorModel]]:
    if isinstance(shape, type) and issubclass(shape, DoorModel):
        yield shape
    for argument in get_args(shape):
        yield from _models_in(argument)


def hidden_in_broken(lines: list[str], number: int) -> list[Span]:
    """What to hide of line ``number`` (from 0) of a file that is not YAML, by its keys alone."""
    line = lines[number]
    comment = _COMMENT.search(line)
    end = comment.start(1) if comment else len(line)
    keys = list(_KEY.finditer(line, 0, end))
    start = keys[0].start() if keys else end
    lead = line[:start].lstrip(" {[,")
    above = _key_above(lines, number) if lead.startswith("- ") else None
    hidden = [] if _may_show(above, lead.lstrip("- ")) else [(0, start)]
    if ":" in line[end:]:
        hidden.append((end, len(line)))
    for key, following in zip_longest(keys, keys[1:]):
        hidden += _hidden_after(line, key, following, end)
    return [(number, first, last) for first, last in hidden]


def _hidden_after(
    line: str, key: re.Match[str], following: re.Match[str] | None, end: int
) -> list[tuple[int, int]]:
    """What to hide of a key's value, which may have swallowed what looks like the next key."""
    last = following.start() if following else end
    value = line[key.end() : last]
    if _may_show(key[1], value):
        is_swallowed = following and key[1] not in _safe_keys() and not set(value) & set("{[,")
        return [(following.start(), following.end())] if following and is_swallowed else []
    if following is None:
        last = len(line)
    first = key.end() + len(value) - len(value.lstrip())
    return [(first, last - (len(value) - len(value.rstrip(" ,")) if following else 0))]


def _may_show(key: str | None, value: str) -> bool:
    if not re.search(r"\w", value) or _REFERENCE.fullmatch(value):
        return True
    is_simple = _SIMPLE.fullmatch(value) is not None
    return key in _safe_keys() and is_simple and not sounds_secret(value)


def _key_above(lines: list[str], number: int) -> str | None:
    for line in reversed(lines[:number]):
        keys = _KEY.findall(line)
        if keys:
            return str(keys[-1])
    return None
