"""Find templates/, playbooks/ and the demo fleet in a checkout or an installed wheel."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?: +.*\n|\n)*", re.MULTILINE)
_IMPORT = re.compile(r"^\s*from \.(\w+) import ", re.MULTILINE)


def asset_root() -> Path:
    """The folder that holds ``templates/``, ``playbooks/`` and ``inventories/``.

    A wheel carries them in ``provision/_data``; an editable install or a checkout has none, and
    they are then beside the package.
    """
    installed = _PACKAGE / "_data"
    return installed if installed.is_dir() else _PACKAGE.parent


def templates_dir() -> Path:
    """Folder of the Jinja templates, one subfolder a program."""
    return asset_root() / "templates"


def playbooks_dir() -> Path:
    """Folder of the playbooks, their library and module_utils."""
    return asset_root() / "playbooks"


def host_modules(wanted: str) -> tuple[tuple[str, str], ...]:
    """Name and source of a module of playbooks/module_utils and of all that it imports.

    Each comes after those that it imports, ``wanted`` last; imports for types alone do not count.
    """
    folder = playbooks_dir() / "module_utils"
    found: dict[str, str] = {}
    visited: set[str] = set()

    def visit(name: str) -> None:
        if name in visited:
            return
        visited.add(name)
        source = (folder / f"{name}.py").read_text(encoding="utf-8")
        for imported in _IMPORT.findall(_FOR_TYPES.sub("", source)):
            visit(imported)
        found[name] = source

    visit(wanted)
    return tuple(found.items())


def demo_fleet_dir() -> Path:
    """The demo fleet folder that ``make demo`` and the tutorial use."""
    return asset_root() / "inventories" / "demo"


def program_state() -> Iterator[str]:
    """A text for each file that the program is made of, by size and time, as make does."""
    yield sys.version
    for root in (_PACKAGE, templates_dir(), playbooks_dir()):
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(names):
                path = f"{folder}/{name}"
                status = os.stat(path)  # noqa: PTH116 - a fraction of the time of Path.stat
                yield f"{path} {status.st_size} {status.st_mtime_ns}"
