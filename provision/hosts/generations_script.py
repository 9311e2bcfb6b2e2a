"""Runs on a host after the observer, in the same program: what it has been, and what it should be.

Standard library only, Python 3.11 or newer; changes nothing. ``answer`` returns what
``provision.plan.generations.Memory.parse`` reads.
"""

# Paths are joined as text: pathlib costs more to import than all of the looking.
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import base64
import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST_CONTENT = 512 * 1024
_LAST_LINES = 50


def answer(request: dict[str, Any], observer: Any, store: Any) -> dict[str, Any]:
    """Everything about this host's generations, and its state beside that of one of them.

    ``request``: ``against``, the number of a generation, None for the current one; ``contents``,
    whether contents of files that differ are wanted. ``observer`` and ``store`` are modules.
    """
    folder = f"{observer.STATE}/generations"
    numbers = sorted(int(name) for name in _names(folder) if name.isdigit())
    current = _read_json(f"{observer.STATE}/current/manifest.json", {"generation": 0})
    number = current["generation"] if request["against"] is None else request["against"]
    base = _read_json(f"{folder}/{number}/manifest.json", None)
    seen = store.observe(store.Layout())
    state = observer.answer(_question(base, seen), store)
    contents = _contents(f"{folder}/{number}/files", base, state) if base else {}
    if not request["contents"]:
        contents = {}
        state["files"] = {path: _bare(entry) for path, entry in state["files"].items()}
    return {
        "state": state,
        "generations": [_generation(folder, number) for number in numbers],
        "last": _last_line(f"{observer.STATE}/audit.log"),
        "base": base,
        "contents": contents,
        "accounts": _accounts(seen["damage"], store),
    }


def _question(base: dict[str, Any] | None, seen: dict[str, Any]) -> dict[str, Any]:
    """What the observer shall look at so that the state can be compared with the generation."""
    base = base or {"files": {}, "directories": {}, "packages": [], "units": []}
    return {
        "files": {path: [e["sha256"], e["secret"]] for path, e in base["files"].items()},
        "directories": {path: entry[3] for path, entry in base["directories"].items()},
        "packages": base["packages"],
        "units": base["units"],
        "users": [],
        "accounts": seen["sites"],
    }


def _bare(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "content"}


def _contents(tree: str, base: dict[str, Any], state: dict[str, Any]) -> dict[str, str]:
    """Contents that the generation has where the host has others; never those of a secret."""
    found = {}
    for path, entry in base["files"].items():
        live = state["files"].get(path)
        differs = live is None or "content" in live or live["kind"] != "file"
        if differs and not entry["secret"]:
            content = _read(tree + path)
            if len(content) <= LARGEST_CONTENT:
                found[path] = base64.b64encode(content).decode()
    return found


def _generation(folder: str, number: int) -> dict[str, Any]:
    meta = _read_json(f"{folder}/{number}/meta.json", {})
    result = _read_json(f"{folder}/{number}/result.json", {})
    holder = meta.get("holder", {})
    return {
        "number": number,
        "when": meta.get("when", ""),
        "who": holder.get("who", ""),
        "commit": holder.get("commit", ""),
        "previous": meta.get("previous", 0),
        "rollback_of": meta.get("rollback_of"),
        "changes": meta.get("changes", {}),
        "outcome": result.get("outcome", ""),
        "message": result.get("message", ""),
    }


def _last_line(path: str) -> Any:
    """The last audit line that is whole and of an apply; None when there is none."""
    try:
        lines = _read(path).splitlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines[-_LAST_LINES:]):
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if "event" not in values:  # a hold or an unlock
            return values
    return None


def _accounts(damage: list[str], store: Any) -> list[list[str]]:
    """Each damaged account file with what is wrong: changed, missing or foreign."""
    layout = store.Layout()
    recorded = (store.load(layout.compiled) or {"files": {}})["files"]
    found = []
    for path in damage:
        what = "changed"
        if path.startswith("/") and path not in recorded:
            what = "foreign"
        elif path.startswith("/") and not os.path.lexists(layout.at(path)):
            what = "missing"
        found.append([path, what])
    return found


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _read_json(path: str, default: Any) -> Any:
    try:
        return json.loads(_read(path))
    except (FileNotFoundError, NotADirectoryError):
        return default
