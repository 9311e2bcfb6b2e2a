"""Runs on a host before the observer: says whether anything has changed since a plan was empty.

``glance`` gives one digest of all that an observation depends on, by the marks of files alone
(provision_seen): equal digests, equal observations. It reads no managed file. Standard library
only, Python 3.11 or newer, and few modules of it; changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STATE = "/var/lib/provision"
_RUN = "/run/provision"
_OTHERS = (
    _STATE,
    f"{_STATE}/current",
    f"{_STATE}/owned.json",
    f"{_STATE}/accounts",
    f"{_RUN}/breakpoint.json",
    "/etc/passwd",
    "/etc/group",
    "/etc/os-release",
    "/usr/lib/os-release",
    "/usr/sbin/policy-rc.d",
    "/var/lib/apt/extended_states",
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/updates",
)
"""What the observer looks at besides files that are managed. Whatever comes or goes in our own
folders, a journal, a hold, an intent, moves the mark of the folder."""
_LOCKS = (f"{_RUN}/apply.lock", f"{_RUN}/lock")
_HOLD = f"{_STATE}/hold.json"


def standing(seen: Any, holder: Any) -> str:
    """The marks of all files and folders now; empty where they cannot be relied on.

    ``seen`` is the module provision_seen, ``holder`` provision_holder. Look at this first, and at
    anything else after it: a change in between then shows next time.
    """
    if os.path.lexists(_HOLD) or any(
        map(holder.is_locked, _LOCKS)
    ):  # its time runs: it has to be read
        return ""
    wanted = seen.purpose(f"{_STATE}/current/manifest.json", f"{_STATE}/accounts/compiled.json")
    return str(seen.marks(seen.FOLDER, wanted, _OTHERS))


def glance(marks: str, units: dict[str, Any]) -> str:
    """The digest of ``standing`` and of what systemd says of the units; empty as that is."""
    about = json.dumps([marks, units], sort_keys=True)
    return hashlib.sha256(about.encode()).hexdigest() if marks else ""
