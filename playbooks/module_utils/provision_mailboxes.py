"""What ``provision mailbox`` asks of a host: list mailboxes and archives, restore one, purge some.

Standard library only; runs as root on the host, from ``python3 -I -S -``. `answer` takes one of::

    {"action": "list"}
    {"action": "restore", "address": ADDRESS, "archive": NAME or "", "replace": bool, "who": WHO,
     "keep_seconds": how long to keep what it takes the place of}
    {"action": "purge", "archives": [NAME, ...], "who": WHO}
    {"action": "edits"}

and returns ``{"outcome": "done" or a word of refusal, ...}``. Restoring and purging hold the lock
of the account data, so no apply changes them meanwhile.
"""

# ruff: noqa: PTH112, PTH118 - paths are joined as text, like everywhere in the account modules

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from .provision_account_archive import archives, bring_back, count_mail, purge
from .provision_account_edits import edits
from .provision_account_homes import end_sessions
from .provision_account_store import Layout, dump, load, lock, sites_in, write
from .provision_account_webmail import forget_people, rename_people
from .provision_accounts import compile_all

_LISTED = ("name", "address", "removed", "keep_until", "who", "commit", "messages", "bytes")


def answer(layout: Layout, request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what the request asks."""
    if request["action"] == "list":
        return {"outcome": "done", "now": int(time.time()), **_list(layout)}
    if request["action"] == "edits":
        return {"outcome": "done", **edits(layout)}
    if request["action"] == "restore":
        return _restore(layout, request)
    return _purge(layout, request)


def _list(layout: Layout) -> dict[str, Any]:
    return {
        "mailboxes": list(_mailboxes(layout)),
        "archives": [{key: record.get(key) for key in _LISTED} for record in archives(layout)],
    }


def _mailboxes(layout: Layout) -> Iterator[dict[str, Any]]:
    for site in sites_in(layout):
        for mailbox in load(layout.document(site))["mailboxes"]:
            messages, size = count_mail(_home(layout, mailbox["address"])) or (0, 0)
            yield {
                "address": mailbox["address"],
                "quota": mailbox["quota"],
                "messages": messages,
                "bytes": size,
            }


def _home(layout: Layout, address: str) -> str:
    local, _, site = address.partition("@")
    return os.path.join(layout.mail, site, local)


def _account(layout: Layout, address: str) -> dict[str, Any] | None:
    site = address.rpartition("@")[2]
    if site not in sites_in(layout):
        return None
    found = (m for m in load(layout.document(site))["mailboxes"] if m["address"] == address)
    return next(found, None)


def _restore(layout: Layout, request: Mapping[str, Any]) -> dict[str, Any]:
    address = request["address"]
    with lock(layout):
        kept = [record for record in archives(layout) if record.get("address") == address]
        if request["archive"]:
            kept = [record for record in kept if record["name"] == request["archive"]]
        account, home = _account(layout, address), _home(layout, address)
        if not kept:
            return {"outcome": "no_archive"}
        if account is None or not os.path.isdir(home):
            return {"outcome": "no_mailbox"}
        messages, size = count_mail(home) or (0, 0)
        if messages and not request["replace"]:
            return {"outcome": "has_mail", "messages": messages, "bytes": size}
        now = _record_now(layout, account, request)
        password = _put_password_back(layout, account, kept[0])
        end_sessions(layout, address)
        replaced = bring_back(layout, kept[0]["name"], home, now)
        _bring_webmail_back(layout, address, kept[0]["name"])
        end_sessions(layout, address)  # who logged in between the two holds the other folder
        _note(layout, {"what": f"restored {kept[0]['name']}", "who": request["who"]})
    if password:
        compile_all(layout)
    return {
        "outcome": "done",
        "removed": kept[0]["removed"],
        "messages": kept[0]["messages"],
        "bytes": kept[0]["bytes"],
        "replaced": replaced,
        "password": password,
    }


def _bring_webmail_back(layout: Layout, address: str, name: str) -> None:
    """Settings and contacts come back, too; those of meanwhile go where the mail of then went."""
    newest = next((a["name"] for a in archives(layout) if a.get("address") == address), "")
    if newest > name:
        rename_people(layout, {address: newest}, addresses=False)
    rename_people(layout, {name: address}, addresses=False)


def _put_password_back(layout: Layout, account: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """Bring the old hash back when the spec asks for the same password as then.

    It may be one that the person has chosen since; another password of the spec is a newer wish.
    """
    path = layout.credentials(account["address"].rpartition("@")[2])
    entries = load(path) or {}
    old = {"fingerprint": kept.get("fingerprint", ""), "hash": kept.get("hash", "")}
    if not old["hash"] or old["fingerprint"] != account["fingerprint"]:
        return False
    write(path, dump({**entries, account["address"]: old}))
    return True


def _record_now(
    layout: Layout, account: Mapping[str, Any], request: Mapping[str, Any]
) -> dict[str, Any]:
    """The record of what a restore takes the place of."""
    now = int(time.time())
    site = account["address"].rpartition("@")[2]
    held = (load(layout.credentials(site)) or {}).get(account["address"], {})
    return {
        "address": account["address"],
        "removed": now,
        "keep_until": now + int(request["keep_seconds"]),
        "who": request["who"],
        "commit": "",
        "fingerprint": held.get("fingerprint", ""),
        "hash": held.get("hash", ""),
        "account": dict(account),
    }


def _purge(layout: Layout, request: Mapping[str, Any]) -> dict[str, Any]:
    with lock(layout):
        known = {record["name"] for record in archives(layout)}
        doomed = [name for name in request["archives"] if name in known]
        for name in doomed:
            _note(layout, {"what": f"purged {name}", "who": request["who"]})
            purge(layout, name)
        forget_people(layout, doomed)
    return {"outcome": "done", "purged": doomed}


def _note(layout: Layout, line: Mapping[str, str]) -> None:
    """Append one JSON line to the host's log of archives (UTC, readable by root alone)."""
    whole = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **line}
    path = layout.at("/var/lib/provision/mailboxes.log")
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as log:
        log.write(json.dumps(whole, sort_keys=True) + "\n")
        log.flush()
        os.fsync(log.fileno())
