"""What Roundcube keeps of people (settings, identities, contacts) goes where their mailbox goes.

Standard library only; runs as root on the host. A renamed mailbox keeps its rows, an archived one
has them under the archive's name, so that a later person of that address does not find them, and
they are deleted with the archive. The database is written by its owner: a journal that root leaves
behind would lock everybody else out (SQLite documentation, "Atomic Commit").
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Container, Iterable, Mapping
from typing import Any

from .provision_account_store import Layout
from .provision_steps import Steps

DATABASE = "/var/lib/provision-webmail/roundcube.sqlite"
_SECONDS = 60.0
_PROGRAM = """
import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=20)
database.execute("PRAGMA foreign_keys = ON")
work = json.load(sys.stdin)
with database:
    for old, new in work["renames"].items():
        found = database.execute("SELECT user_id FROM users WHERE username = ?", (old,)).fetchall()
        if not found:
            continue
        database.execute("DELETE FROM users WHERE username = ?", (new,))
        database.execute("UPDATE users SET username = ? WHERE username = ?", (new, old))
        if work["identities"]:
            database.executemany(
                "UPDATE identities SET email = ? WHERE email = ? AND user_id = ?",
                [(new, old, user) for (user,) in found],
            )
    database.executemany("DELETE FROM users WHERE username = ?", [(n,) for n in work["gone"]])
"""


def rename_people(layout: Layout, renames: Mapping[str, str], *, addresses: bool) -> list[str]:
    """Give rows of Roundcube another login; returns what went wrong, in words.

    ``addresses``: the new names are addresses, which identities have too. One that is done already
    is done again without harm.
    """
    work = {"renames": dict(renames), "identities": addresses, "gone": []}
    return _run(layout, work) if renames else []


class People:
    """The renames of one compile; those that cannot be made wait for the next one.

    What waits is ``[{"renames": {OLD: NEW}, "addresses": bool}, ...]``, in the order of happening.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.waiting: list[dict[str, Any]] = []
        self.said: list[str] = []

    def catch_up(self, waiting: Iterable[Mapping[str, Any]], logins: Container[str]) -> None:
        """Make renames that could not be made before.

        An address that has become a login since is another person's, and keeps what it has.
        """
        for entry in waiting:
            renames = {old: new for old, new in entry["renames"].items() if old not in logins}
            self.rename(renames, addresses=entry["addresses"])

    def rename(self, renames: Mapping[str, str], *, addresses: bool) -> None:
        """Do as `rename_people` does, and remember what went wrong."""
        said = rename_people(self.layout, renames, addresses=addresses)
        if said:
            self.waiting.append({"renames": dict(renames), "addresses": addresses})
            self.said += [words for words in said if words not in self.said]


def forget_people(layout: Layout, names: Iterable[str]) -> list[str]:
    """Delete what Roundcube keeps under these names; returns what went wrong, in words."""
    gone = sorted(names)
    return _run(layout, {"renames": {}, "identities": False, "gone": gone}) if gone else []


def _run(layout: Layout, work: Mapping[str, Any]) -> list[str]:
    path = layout.at(DATABASE)
    try:
        owner = os.stat(path)  # noqa: PTH116 - paths are text in the account modules
    except FileNotFoundError:
        return []
    ids: dict[str, Any] = {}
    if owner.st_uid != os.getuid():
        ids = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    Steps.before(f"write rows of {path}")
    try:
        done = subprocess.run(
            [sys.executable or "/usr/bin/python3", "-I", "-S", "-c", _PROGRAM, path],
            input=json.dumps(work),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            **ids,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"webmail keeps settings of who left: {error}"]
    last = done.stderr.strip().splitlines()[-1:] or ["no message"]
    return [] if done.returncode == 0 else [f"webmail keeps settings of who left: {last[0]}"]
