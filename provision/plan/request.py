"""The question that is put to a host: only what the comparison needs, nothing secret."""

from __future__ import annotations

import json

from provision.model.bundle import Bundle


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
