"""Go back: the files of an earlier generation as a new one, by the same steps as an apply.

Mail, accounts, passwords and Sieve scripts are no files of a generation: they stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .provision_account_store import Layout as AccountLayout
from .provision_account_store import read, sites_in
from .provision_durable import read_json
from .provision_expiry import has_expired
from .provision_generation import Refused, current_manifest, is_as_wanted
from .provision_layout import Layout
from .provision_owned import is_installed
from .provision_request import Request, WantedFile, directories_of, files_of
from .provision_units import is_active

_VERBS = ("none", "reload", "restart")
_NO_CHANGE = {"expected": {}, "sites": {}, "removed": [], "hashes": {}, "mend": False}


def rollback_request(
    layout: Layout, number: int, *, expected: int, holder: dict[str, str], plan: str = ""
) -> Request:
    """The request that makes the host as generation ``number`` was.

    ``expected`` is the generation that the person saw as the current one, ``plan`` the digest of
    what was shown. Raises Refused when the earlier one is not kept, or could not work with what the
    host has by now.
    """
    manifest = read_json(layout.generation(number) / "manifest.json")
    if manifest is None:
        raise Refused(f"generation {number} is not kept on this host")
    request = Request(
        expected_generation=expected,
        observed=None,
        files=files_of(manifest),
        directories=directories_of(manifest),
        units=manifest["units"],
        packages=manifest["packages"],
        unit_actions=_unit_actions(layout, manifest),
        accounts=dict(_NO_CHANGE),
        meta={"holder": holder, "plan": plan, "rollback_of": number},
        blobs=_blobs(layout, number, manifest),
        users=manifest.get("users", {}),
        fleet=manifest.get("fleet") or current_manifest(layout).get("fleet", ""),
        leaving={},
    )
    reasons = [*_missing_transports(layout, request), *_expired(layout, number, request)]
    reasons += _missing_packages(request)
    if reasons:
        raise Refused(f"generation {number} cannot serve any more: {'; '.join(reasons)}")
    return request


def _blobs(layout: Layout, number: int, manifest: dict[str, Any]) -> dict[str, bytes]:
    tree = layout.staged(number)
    return {
        entry["sha256"]: (tree / path.lstrip("/")).read_bytes()
        for path, entry in manifest["files"].items()
    }


def _unit_actions(layout: Layout, manifest: dict[str, Any]) -> list[list[str]]:
    """What units must do for the files that will differ: the largest verb wins."""
    recorded = current_manifest(layout)["files"]
    verbs: dict[str, int] = {}
    for path, entry in {**recorded, **manifest["files"]}.items():
        stays = path in manifest["files"]
        if stays and is_as_wanted(layout, WantedFile.of_record(path, entry)):
            continue
        for unit, verb in entry["activations"]:
            verbs[unit] = max(verb, verbs.get(unit, 0))
    gone = set(current_manifest(layout)["units"]) - set(manifest["units"])
    actions = {unit: _VERBS[verb] for unit, verb in verbs.items() if verb and unit not in gone}
    actions.update({unit: "start" for unit in manifest["units"] if not is_active(unit)})
    return [list(action) for action in sorted(actions.items())]


def _missing_packages(request: Request) -> Iterator[str]:
    """Packages that it was made for and that are gone: `provision rollback` installs them first."""
    for name in request.packages:
        if not is_installed(name):
            yield f"the package {name} is not installed any more: apt install {name}"


def _missing_transports(layout: Layout, request: Request) -> Iterator[str]:
    """Routes of the accounts that the older master.cf has no transport for: mail would wait."""
    master = next((f for f in request.files if f.path == "/etc/postfix/master.cf"), None)
    text = request.blobs[master.sha256].decode() if master else ""
    transports = set(re.findall(r"^(smarthost-\S+)\s", text, re.MULTILINE))
    accounts = AccountLayout(root=str(layout.root))
    for site in sites_in(accounts):
        kind, _, name = json.loads(read(accounts.document(site)) or b"{}")["route"].partition(":")
        if kind == "smarthost" and f"smarthost-{name}" not in transports:
            yield f"{site} sends through the smarthost {name}, which it does not know"


def _expired(layout: Layout, number: int, request: Request) -> Iterator[str]:
    for file in request.files:
        if file.path.endswith(".crt") and file.path.startswith("/etc/provision/tls/"):
            staged: Path = layout.staged(number) / file.path.lstrip("/")
            if has_expired(str(staged)):
                yield f"its certificate {file.path} has expired"
