"""Runs on a host, sent on the standard input of ``python3 -I -S -``: looks, and changes nothing.

Standard library only, Python 3.11 or newer, and few modules of it: importing is most of its time.
``answer(request)`` returns what ``provision.plan.state.HostState.parse`` reads; the request is what
``provision.plan.request.observation_request`` makes.
"""

# Paths are joined as text: pathlib costs more to import than all of the looking.
# ruff: noqa: PTH112, PTH123, PTH208

from __future__ import annotations

import binascii
import grp
import json
import os
import pwd
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

STATE = "/var/lib/provision"
NOTHING: dict[str, Any] = {"units": [], "packages": {}, "users": [], "directories": []}
UNFINISHED = (f"{STATE}/journal.json", f"{STATE}/unconfirmed.json")
"""A switch that did not end, or that waits for its confirmation."""
LARGEST_CONTENT = 512 * 1024
_RECORDED = ("sha256", "mode", "owner", "group")
_NAMES: dict[str, dict[int, str]] = {}
SETTLED = {"", "installed", "config-files", "not-installed"}


def answer(
    request: dict[str, Any],
    store: Any,
    load_archive: Callable[[], Any] | None = None,
    leaving: Any = None,
    complete: Callable[..., bool] | None = None,
) -> dict[str, Any]:
    """Look at everything the request names; returns JSON values.

    ``store`` is the module provision_account_store, which knows where account data is;
    ``load_archive`` gives provision_account_archive, which only a difference
    needs; without it no mail is counted. ``leaving`` is the module leaving_script, with
    ``load_removal``; without it what left is not looked at. ``complete``: as in observer_base.
    """
    empty = {"generation": 0, "files": {}, "directories": {}}
    manifest = _read_json(f"{STATE}/current/manifest.json", empty)
    seen = store.observe(store.Layout())
    if complete and "bases" in request and not complete(request, manifest, seen["sites"]):
        return {"unknown_base": True}
    recorded = manifest["files"]
    left = leaving.left_by(request, manifest, STATE) if leaving else NOTHING
    units = _module("units_script").Units([*request["units"], *left["units"]])
    packages, interrupted = _packages({*request["packages"], *left["packages"]})
    return {
        "release": _release(),
        "generation": manifest["generation"],
        "fleet": manifest.get("fleet", ""),
        "recorded": recorded,
        "leaving": leaving.weighed(left, packages, leaving.load_removal) if leaving else left,
        "existing": sum(len(manifest.get(kind, ())) for kind in ("packages", "units", "users")),
        "files": _files(request["files"], recorded),
        "directories": _directories(request, recorded),
        "packages": packages,
        "users": _users(request["users"]),
        **_accounts(request["accounts"], seen, store, load_archive),
        "dpkg_interrupted": interrupted,
        "switch_interrupted": any(map(os.path.lexists, UNFINISHED)),
        "pending": _read_json(f"{STATE}/pending.json", []),
        **_held(),
        "rehearsed": os.path.lexists("/run/provision/breakpoint.json"),
        "units": units.answer(),
    }


def in_short(told: dict[str, Any]) -> dict[str, Any]:
    """The answer with ``True`` for each file that is as the manifest, which it carries, says."""
    for path, entry in told.get("files", {}).items():
        recorded = told["recorded"].get(path)
        is_plain = recorded and entry["kind"] == "file" and "content" not in entry
        if is_plain and all(entry[key] == recorded[key] for key in _RECORDED):
            told["files"][path] = True
    return told


def _module(name: str) -> Any:
    return sys.modules[f"{__package__}.{name}"]


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _read_json(path: str, default: Any) -> Any:
    try:
        return json.loads(_read(path))
    except (FileNotFoundError, NotADirectoryError):
        return default


def _base64(content: bytes) -> str:
    return binascii.b2a_base64(content, newline=False).decode()


def _release() -> str:
    fields = {}
    for line in _read("/etc/os-release").decode().splitlines():
        name, _, value = line.partition("=")
        fields[name] = value.strip('"')
    return fields.get("ID", "unknown") + fields.get("VERSION_ID", "")


def _files(wanted: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for path in {**recorded, **wanted}:
        digest, secret = wanted.get(path, (None, False))
        secret = secret or recorded.get(path, {}).get("secret", False)
        state = _file(path, digest, secret=secret)
        if state is not None:
            found[path] = state
    return found


def _file(path: str, digest: str | None, *, secret: bool) -> dict[str, Any] | None:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind = _kind(status.st_mode)
    state: dict[str, Any] = {"kind": kind, "sha256": "", **_ownership(status)}
    if kind == "file":
        state["sha256"] = _module("provision_seen").MEMORY.look(path)[1]
        if state["sha256"] != digest and not secret and status.st_size <= LARGEST_CONTENT:
            state["content"] = _base64(_read(path))
    return state


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISLNK(mode):
        return "symlink"
    return "directory" if stat.S_ISDIR(mode) else "other"


def _ownership(status: os.stat_result) -> dict[str, Any]:
    return {
        "mode": stat.S_IMODE(status.st_mode),
        "owner": _name(pwd.getpwuid, status.st_uid),
        "group": _name(grp.getgrgid, status.st_gid),
    }


def _name(look_up: Callable[[int], Any], number: int) -> str:
    """The name of a user or group, asked for once: thousands of files have the same few."""
    known = _NAMES.setdefault(look_up.__name__, {})
    if number not in known:
        try:
            known[number] = str(look_up(number)[0])
        except KeyError:
            known[number] = str(number)
    return known[number]


def _directories(request: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
    known = {*request["files"], *recorded}
    found = {}
    for path, ours in request["directories"].items():
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if stat.S_ISDIR(status.st_mode):
            foreign = _foreign(path, known) if ours else []
            found[path] = {**_ownership(status), "foreign": foreign}
    return found


def _foreign(folder: str, known: set[str]) -> list[str]:
    entries = (f"{folder}/{name}" for name in sorted(os.listdir(folder)))
    return [entry for entry in entries if entry not in known and not os.path.isdir(entry)]


def _packages(wanted: set[str]) -> tuple[dict[str, str], bool]:
    """Installed versions of the wanted ones, and whether dpkg was cut off in the middle."""
    interrupted = bool(os.listdir("/var/lib/dpkg/updates")) or _holds_daemons()
    versions = {}
    for block in _read("/var/lib/dpkg/status").decode("utf-8", "replace").split("\n\n"):
        state = _field(block, "\nStatus: ").rpartition(" ")[2]
        interrupted = interrupted or state not in SETTLED
        name = _field(block, "Package: ")
        if name in wanted and state == "installed":
            versions[name] = _field(block, "\nVersion: ")
    return versions, interrupted


def _holds_daemons() -> bool:
    """True when an apply that did not end still keeps packages from starting daemons."""
    try:
        return b"# provision: " in _read("/usr/sbin/policy-rc.d")
    except FileNotFoundError:
        return False


def _field(block: str, start: str) -> str:
    return block.partition(start)[2].partition("\n")[0]


def _users(names: list[str]) -> dict[str, Any]:
    found = {}
    for name in names:
        try:
            home = pwd.getpwnam(name).pw_dir
        except KeyError:
            continue
        groups = [group.gr_name for group in grp.getgrall() if name in group.gr_mem]
        found[name] = {"home": home, "groups": sorted(groups)}
    return found


def _accounts(
    wanted: dict[str, str], seen: dict[str, Any], store: Any, load_archive: Any
) -> dict[str, Any]:
    """Documents that differ from the wanted digests, with the fingerprints of their passwords."""
    layout, have = store.Layout(), seen["sites"]
    differing = [s for s in sorted({*wanted, *have}) if have.get(s) != wanted.get(s)]
    return {
        "accounts": {s: _base64(store.read(layout.document(s))) for s in differing if s in have},
        "account_digests": have,
        "account_damage": seen["damage"],
        "fingerprints": _joined(store.fingerprints(layout, site) for site in differing),
        **_mail(layout, _leaving_first(have, wanted), load_archive),
    }


def _leaving_first(have: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """The sites that differ; those that leave as a whole come first."""
    gone = sorted(set(have) - set(wanted))
    return gone + [site for site in sorted(wanted) if have.get(site) != wanted[site]]


def _mail(layout: Any, sites: list[str], load_archive: Callable[[], Any] | None) -> dict[str, Any]:
    if not sites or load_archive is None:
        return {"mail": {}, "archived": {}}
    archive = load_archive()
    return {
        "mail": archive.mail_of(layout, sites),
        "archived": archive.archived_addresses(layout, sites),
    }


def _joined(parts: Iterable[dict[str, str]]) -> dict[str, str]:
    return {key: value for part in parts for key, value in part.items()}


def _held() -> dict[str, Any]:
    """Who is at work on this host, and the hold that a person has placed; None: nobody."""
    holder = _module("provision_holder")
    hold = holder.current_hold()
    return {
        "holder": holder.lock_holder(),
        "hold": None if hold is None or hold["expired"] else hold,
    }
