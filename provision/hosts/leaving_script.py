"""Runs on a host beside the observer: what earlier applies brought and a request has no more.

Standard library only, Python 3.11 or newer; changes nothing. A host that is wholly wanted costs
reading one small file.
"""

# Paths are joined as text: pathlib costs more to import than all of the looking.
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import json
import os
import pwd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


def left_by(request: dict[str, Any], manifest: dict[str, Any], state: str) -> dict[str, Any]:
    """Names by kind. ``state`` is the folder of our state on this host."""
    owned = _owned(f"{state}/owned.json")
    ours = [path for path, entry in manifest.get("directories", {}).items() if entry[3]]
    going = _without(ours, request["directories"])
    known = {*manifest["files"], *going} - set(request["files"])
    return {
        "units": _without(manifest.get("units", ()), request["units"]),
        "packages": _without(owned.get("packages", ()), request["packages"]),
        "users": list(filter(_is_there, _without(owned.get("users", ()), request["users"]))),
        "directories": [path for path in going if _is_emptied(path, known)],
    }


def weighed(
    left: dict[str, Any], installed: dict[str, str], load_removal: Callable[[], Any]
) -> dict[str, Any]:
    """The same, with what stands against removing each package that is still installed.

    ``load_removal`` gives the module provision_removal, which asks apt.
    """
    names = [name for name in left["packages"] if name in installed]
    return {**left, "packages": load_removal().what_stands_against(names) if names else {}}


def _owned(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def _without(names: Iterable[str], wanted: Iterable[str]) -> list[str]:
    return sorted(set(names) - set(wanted))


def _is_there(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _is_emptied(folder: str, known: set[str]) -> bool:
    """True when nothing is in a directory but what leaves with it."""
    try:
        return all(f"{folder}/{name}" in known for name in os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return False
