"""Change values in a site file and keep everything else: comments, order, quotes, tags.

ruamel.yaml writes a file back as it was read (its round-trip mode); only the changed lines differ,
and long ones are not wrapped. What comes out is read again by the caller before it counts.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provision.errors import Refused

_INDENTED_LIST = re.compile(r"^( *)[^ #\n][^\n]*:[ \t]*(?:#[^\n]*)?\n\1 +- ", re.MULTILINE)
_WIDEST = 1 << 16
_SITE = re.compile(r"""^["']?site["']?[ \t]*:[ \t]*["']?([^\s"'#]+)""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Wish:
    """One value that a site file shall have. ``value`` None: the key shall be gone."""

    path: tuple[str, ...]
    """Keys from the top: ``("mailboxes", "anna", "quota")``."""
    value: Any


def read_site(text: str) -> str:
    """The domain that a site file names, as it is written; empty when it names none."""
    match = _SITE.search(text)
    return match[1] if match else ""


def rewrite(text: str, wishes: Sequence[Wish]) -> str:
    """The text of a site file with every wish in it. Raises Refused for what is no mapping."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - start-up time; only adopt writes YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = _WIDEST
    if _INDENTED_LIST.search(text):
        yaml.indent(mapping=2, sequence=4, offset=2)
    data = yaml.load(text)
    for wish in wishes:
        _place(data, wish)
    written = io.StringIO()
    yaml.dump(data, written)
    return written.getvalue()


def _place(data: Any, wish: Wish) -> None:
    *folders, key = wish.path
    for name in folders:
        found = _key(data, name)
        if found is None or data[found] is None:
            if wish.value is None:
                return
            data[found or name] = {}
            found = found or name
        data = data[found]
        if not isinstance(data, Mapping):
            raise Refused(f"{'.'.join(wish.path)}: {name} is no mapping in the file")
    found = _key(data, key)
    if wish.value is not None:
        data[found or key] = wish.value
    elif found is not None:
        del data[found]


def _key(data: Mapping[str, Any], name: str) -> str | None:
    """The key as it is written: local parts may be in upper case."""
    return next((key for key in data if str(key).lower() == name.lower()), None)
