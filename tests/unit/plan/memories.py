"""What hosts remember, as they would say it: a good one, and ways to change it."""

from __future__ import annotations

import base64
from typing import Any

from provision.plan.generations import Memory
from tests.unit.plan.estate import MAIN, desired, reply

DIRECTORY = "/etc/provision"


def generation(number: int, **values: Any) -> dict[str, Any]:
    return {
        "number": number,
        "when": f"2026-11-{number:02}T08:00:00Z",
        "who": "ops@desk",
        "commit": f"c0ffee{number}",
        "previous": number - 1,
        "rollback_of": None,
        "changes": {"created": [], "updated": [MAIN.path], "removed": []},
        "outcome": "applied",
        "message": "",
        **values,
    }


def manifest(**values: Any) -> dict[str, Any]:
    """Generation 4, which the host of ``estate.reply`` has."""
    bundle = desired()
    return {
        "generation": 4,
        "files": reply()["recorded"],
        "directories": {DIRECTORY: [0o755, "root", "root", True]},
        "units": [unit.name for unit in bundle.units],
        "packages": list(bundle.packages),
        **values,
    }


def memory(state: dict[str, Any] | None = None, **values: Any) -> Memory:
    return Memory.parse(
        {
            "state": reply(**(state or {})),
            "generations": [generation(number) for number in (1, 2, 3, 4)],
            "last": None,
            "base": manifest(),
            "contents": {},
            "accounts": [],
            **values,
        }
    )


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def file_state(path: str, content: bytes | None, **values: Any) -> dict[str, Any]:
    """The host's files with ``path`` changed to ``content``; None leaves the bytes alone."""
    files: dict[str, Any] = reply()["files"]
    if content is not None:
        files[path] = {**files[path], "sha256": "other", "content": text(content)}
    files[path] = {**files[path], **values}
    return files
