"""The question that is put to a host: only what the comparison needs, nothing secret."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a plan of nothing asks again what was asked before, and needs no bundle
    from provision.model.bundle import Bundle

SHORT = 16 * 1024
"""Characters up to which a question is asked in full: it is nothing beside the program."""
_COMMON = ("files", "directories", "accounts")
"""What a host's last apply has written down there too."""


def observation_request(bundle: Bundle) -> str:
    """What the observer on the host must look at, as JSON in ASCII.

    Files carry the desired digest, so that the reply holds the contents only of what differs;
    a secret file's content is never sent back.
    """
    request = {
        "files": {file.path: [file.sha256(), file.secret] for file in bundle.files},
        "directories": {directory.path: directory.ours for directory in bundle.directories},
        "packages": list(bundle.packages),
        "units": [unit.name for unit in bundle.units],
        "users": [user.name for user in bundle.users],
        "leaving": True,
        "accounts": {site.site: site.digest() for site in bundle.accounts},
    }
    return json.dumps(request, ensure_ascii=True, separators=(",", ":"))


def short_request(request: str, base: str = "") -> str:
    """The same question to a host that is expected to have what it is asked for, or ``base``.

    ``base`` is the question that the host was asked when nothing differed. What the host knows
    itself is named by its digest alone; `observer_script` says when the host has something else,
    and is then asked in full.
    """
    if len(request) <= SHORT:
        return request
    wanted: dict[str, Any] = json.loads(request)
    bases: dict[str, Any] = {_digest(wanted): {}}
    if base:
        before = json.loads(base)
        bases[_digest(before)] = {key: _moves(before[key], wanted[key]) for key in _COMMON}
    rest = {key: value for key, value in wanted.items() if key not in _COMMON}
    return json.dumps({**rest, "bases": bases}, ensure_ascii=True, separators=(",", ":"))


def _moves(before: dict[str, Any], wanted: dict[str, Any]) -> list[Any]:
    """What is new or another, and what is gone."""
    new = {key: value for key, value in wanted.items() if before.get(key) != value}
    return [new, sorted(set(before) - set(wanted))]


def _digest(request: dict[str, Any]) -> str:
    text = json.dumps([request[key] for key in _COMMON], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
