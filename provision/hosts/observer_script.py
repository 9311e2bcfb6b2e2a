"""Runs on a host, sent on the standard input of ``python3 -I -S -``: looks, and changes nothing.

Standard library only, Python 3.11 or newer. ``answer(request)`` returns what
``provision.plan.state.HostState.parse`` reads; the request is what
``provision.plan.request.observation_request`` makes.
"""

from __future__ import annotations

import base64
import fcntl
import grp
import hashlib
import json
import os
import pwd
import stat
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

STATE = Path("/var/lib/provision")
LARGEST_CONTENT = 512 * 1024
SETTLED = {"installed", "config-files", "not-installed"}


def answer(request: dict[str, Any], store: Any) -> dict[str, Any]:
    """Look at everything the request names; returns JSON values.

    ``store`` is the module provision_account_store, which knows where account data is.
    """
    generation, recorded = _current_generation()
    packages, interrupted = _packages(set(request["packages"]))
    return {
        "release": _release(),
        "generation": generation,
        "recorded": recorded,
        "files": _files(request["files"], recorded),
        "directories": _directories(request, recorded),
        "packages": packages,
        "units": _units(request["units"]),
        "users": _users(request["users"]),
        **_accounts(request["accounts"], store),
        "dpkg_interrupted": interrupted,
        "switch_interrupted": (STATE / "journal.json").exists(),
        "pending": _read_json(STATE / "pending.json", []),
        "holder": _holder(),
    }


def load_module(name: str, source: str) -> types.ModuleType:
    """Make a module of a source text; dataclasses look theirs up among the loaded ones."""
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102 - our own source, sent along
    return module


def _read_json(path: Path, default: Any) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return default


def _release() -> str:
    fields = {}
    for line in Path("/etc/os-release").read_text().splitlines():
        name, _, value = line.partition("=")
        fields[name] = value.strip('"')
    return fields.get("ID", "unknown") + fields.get("VERSION_ID", "")


def _current_generation() -> tuple[int, dict[str, Any]]:
    manifest = _read_json(STATE / "current" / "manifest.json", None)
    if manifest is None:
        return 0, {}
    return manifest["generation"], manifest["files"]


def _files(wanted: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for path in {**recorded, **wanted}:
        digest, secret = wanted.get(path, (None, recorded.get(path, {}).get("secret", False)))
        secret = secret or recorded.get(path, {}).get("secret", False)
        state = _file(Path(path), digest, secret=secret)
        if state is not None:
            found[path] = state
    return found


def _file(path: Path, digest: str | None, *, secret: bool) -> dict[str, Any] | None:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind = _kind(status.st_mode)
    state: dict[str, Any] = {"kind": kind, "sha256": "", **_ownership(status)}
    if kind == "file":
        content = path.read_bytes()
        state["sha256"] = hashlib.sha256(content).hexdigest()
        if state["sha256"] != digest and not secret and len(content) <= LARGEST_CONTENT:
            state["content"] = base64.b64encode(content).decode()
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
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


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
    entries = (entry for entry in sorted(Path(folder).iterdir()) if not entry.is_dir())
    return [str(entry) for entry in entries if str(entry) not in known]


def _packages(wanted: set[str]) -> tuple[dict[str, str], bool]:
    """Installed versions of the wanted ones, and whether dpkg was cut off in the middle."""
    interrupted = any(Path("/var/lib/dpkg/updates").iterdir())
    versions, name, state = {}, "", ""
    status = Path("/var/lib/dpkg/status")
    with status.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("Package: "):
                name = line[9:-1]
            elif line.startswith("Status: "):
                state = line.split()[-1]
                interrupted = interrupted or state not in SETTLED
            elif line.startswith("Version: ") and state == "installed" and name in wanted:
                versions[name] = line[9:-1]
    return versions, interrupted


def _units(names: list[str]) -> dict[str, Any]:
    if not names:
        return {}
    fields = {
        "LoadState": "load",
        "ActiveState": "active",
        "SubState": "sub",
        "UnitFileState": "enabled",
    }
    properties = ",".join(["Id", *fields])
    shown = subprocess.run(
        ["systemctl", "show", "--property", properties, "--", *names],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    units = {}
    for name, block in zip(names, shown.strip("\n").split("\n\n"), strict=True):
        values = dict(line.split("=", 1) for line in block.splitlines())
        units[name] = {field: values.get(key, "") for key, field in fields.items()}
    return units


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


def _accounts(wanted: dict[str, str], store: Any) -> dict[str, Any]:
    """Documents that differ from the wanted digests, with the fingerprints of their passwords."""
    layout = store.Layout()
    seen = store.observe(layout)
    have = seen["sites"]
    differing = [s for s in sorted({*wanted, *have}) if have.get(s) != wanted.get(s)]
    held: dict[str, str] = {}
    for site in differing:
        held.update(store.fingerprints(layout, site))
    documents = {
        site: base64.b64encode(store.read(layout.document(site))).decode()
        for site in differing
        if site in have
    }
    return {
        "accounts": documents,
        "account_digests": have,
        "account_damage": seen["damage"],
        "fingerprints": held,
    }


def _holder() -> Any:
    """Who holds the apply lock; None when the kernel says that nobody does."""
    try:
        with Path("/run/provision/lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read_json(Path("/run/provision/holder.json"), None)
    except FileNotFoundError:
        pass
    return None
