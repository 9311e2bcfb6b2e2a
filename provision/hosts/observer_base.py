"""Runs on a host with the observer: completes a short question from what the host has itself.

Standard library only. ``provision.plan.request.short_request`` makes the question.
"""

from __future__ import annotations

import hashlib
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COMMON = ("files", "directories", "accounts")


def complete(request: dict[str, Any], manifest: dict[str, Any], sites: dict[str, str]) -> bool:
    """Write out in ``request`` what it says only the changes of; False when its base is not ours.

    ``manifest`` is that of the current generation, ``sites`` the digests of the stored documents.
    """
    mine: list[dict[str, Any]] = [
        {path: [entry["sha256"], entry["secret"]] for path, entry in manifest["files"].items()},
        {path: entry[-1] for path, entry in manifest["directories"].items()},
        dict(sites),
    ]
    digest = hashlib.sha256(json.dumps(mine, sort_keys=True).encode()).hexdigest()
    moves = request["bases"].get(digest)
    if moves is None:
        return False
    for key, values in zip(_COMMON, mine, strict=True):
        new, gone = moves.get(key, ({}, ()))
        kept = {name: value for name, value in values.items() if name not in gone}
        request[key] = dict(sorted({**kept, **new}.items()))
    return True
