"""Which parts of a YAML file may be shown back: never a value that could be a secret.

A password often stands in a file exactly when the file is wrong: in the wrong place, under a
misspelt key, on a line that is not YAML. So a value is shown only where the models expect a text
that is no secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from provision.spec.door import DoorModel, FleetFile, SiteFile
from provision.spec.folder import FLEET_FILE
from provision.spec.node import Document, Node, SecretRef
from provision.spec.quotes import Span

SECRET_KEYS = frozenset({"password", "password_hash", "key"})
_TO_THE_END = 1 << 30
_KEY = re.compile(r"""(?:^|(?<=[\s{,\-"']))["']?([\w.@+/-]+)["']?\s*:(?=\s|$)""")


def hidden_spans(document: Document) -> list[Span]:
    """What to hide of a document that is YAML."""
    model = FleetFile if document.file == FLEET_FILE else SiteFile
    return [span for node in _hidden(document.root, model) for span in _spans(node)]


def _hidden(node: Node, shape: Any) -> Iterator[Node]:
    """Scalars below ``node`` that are not a text which ``shape`` expects and that is no secret."""
    shape = _plain(shape)
    if node.children is None:
        if shape is None or _is_container(shape):
            yield node
    elif isinstance(node.children, list):
        element = get_args(shape)[0] if get_origin(shape) is list else None
        for child in node.children:
            yield from _hidden(child, element)
    else:
        for key, child in [*node.children.items(), *node.refused]:
            yield from _hidden(child, _value_shape(shape, key))


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
    if not near or near[0] in SECRET_KEYS or _sounds_secret(key):
        return None
    return model.model_fields[near[0]].annotation


def _sounds_secret(key: str) -> bool:
    return bool(re.search(r"pass|pwd|pw$|secret|token|credential|hash|key", key.lower()))


def _spans(node: Node) -> Iterator[Span]:
    if isinstance(node.data, SecretRef | bool):
        return
    for line in range(node.line, node.end_line + 1):
        first = node.column if line == node.line else 0
        last = node.end_column if line == node.end_line else _TO_THE_END
        yield line, first, last


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
    safe = _safe_keys()
    line = lines[number]
    keys = list(_KEY.finditer(line))
    spans: list[Span] = []
    start = keys[0].start() if keys else len(line)
    if line[:start].strip(" -[{,") and _key_above(lines, number) not in safe:
        spans.append((number, 0, start))
    ends = [key.start() for key in keys[1:]] + [len(line)]
    for key, end in zip(keys, ends, strict=False):
        value = line[key.end() : end]
        is_reference = re.fullmatch(r"\s*!secret [\w./@+-]+[\s,}\]]*", value)
        if key[1] not in safe and re.search(r"\w", value) and not is_reference:
            shown_before = len(value) - len(value.lstrip())
            shown_after = len(value) - len(value.rstrip(" ,"))
            spans.append((number, key.end() + shown_before, end - shown_after))
    return spans


def _key_above(lines: list[str], number: int) -> str | None:
    for line in reversed(lines[:number]):
        keys = _KEY.findall(line)
        if keys:
            return str(keys[-1])
    return None
