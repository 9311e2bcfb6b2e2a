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
from pathlib import Path

STATE = Path("/var/lib/provision")
LARGEST_CONTENT = 512 * 1024
SETTLED = {"installed", "config-files", "not-installed"}


def answer(request, store):
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


def load_module(name, source):
    """Make a module of a source text; dataclasses look theirs up among the loaded ones."""
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102 - our own source, sent along
    return module


def _read_json(path, default):
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return default


def _release():
    fields = {}
    for line in Path("/etc/os-release").read_text().splitlines():
        name, _, value = line.partition("=")
        fields[name] = value.strip('"')
    return fields.get("ID", "unknown") + fields.get("VERSION_ID", "")


def _current_generation():
    manifest = _read_json(STATE / "current" / "manifest.json", None)
    if manifest is None:
        return 0, {}
    return manifest["generation"], manifest["files"]


def _files(wanted, recorded):
    found = {}
    for path in {**recorded, **wanted}:
        digest, secret = wanted.get(path, (None, recorded.get(path, {}).get("secret", False)))
        secret = secret or recorded.get(path, {}).get("secret", False)
        state = _file(Path(path), digest, secret)
        if state is not None:
            found[path] = state
    return found


def _file(path, digest, secret):
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind = _kind(status.st_mode)
    state = {"kind": kind, "sha256": "", **_ownership(status)}
    if kind == "file":
        content = path.read_bytes()
        state["sha256"] = hashlib.sha256(content).hexdigest()
        if state["sha256"] != digest and not secret and len(content) <= LARGEST_CONTENT:
            state["content"] = base64.b64encode(content).decode()
    return state


def _kind(mode):
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISLNK(mode):
        return "symlink"
    return "directory" if stat.S_ISDIR(mode) else "other"


def _ownership(status):
    return {
        "mode": stat.S_IMODE(status.st_mode),
        "owner": _name(pwd.getpwuid, status.st_uid),
        "group": _name(grp.getgrgid, status.st_gid),
    }


def _name(look_up, number):
    try:
        return look_up(number)[0]
    except KeyError:
        return str(number)


def _directories(request, recorded):
    found = {}
    for path, ours in request["directories"].items():
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if stat.S_ISDIR(status.st_mode):
            foreign = _foreign(path, request["files"], recorded) if ours else []
            found[path] = {**_ownership(status), "foreign": foreign}
    return found


def _foreign(path, wanted, recorded):
    entries = (os.path.join(path, name) for name in sorted(os.listdir(path)))
    return [e for e in entries if e not in wanted and e not in recorded and not os.path.isdir(e)]


def _packages(wanted):
    """Installed versions of the wanted ones, and whether dpkg was cut off in the middle."""
    interrupted = any(Path("/var/lib/dpkg/updates").iterdir())
    versions, name, state = {}, "", ""
    with open("/var/lib/dpkg/status", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("Package: "):
                name = line[9:-1]
            elif line.startswith("Status: "):
                state = line.split()[-1]
                interrupted = interrupted or state not in SETTLED
            elif line.startswith("Version: ") and state == "installed" and name in wanted:
                versions[name] = line[9:-1]
    return versions, interrupted


def _units(names):
    if not names:
        return {}
    fields = {"LoadState": "load", "ActiveState": "active", "SubState": "sub"}
    fields["UnitFileState"] = "enabled"
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


def _users(names):
    found = {}
    for name in names:
        try:
            home = pwd.getpwnam(name).pw_dir
        except KeyError:
            continue
        groups = [group.gr_name for group in grp.getgrall() if name in group.gr_mem]
        found[name] = {"home": home, "groups": sorted(groups)}
    return found


def _accounts(wanted, store):
    """Documents that differ from the wanted digests, with the fingerprints of their passwords."""
    layout = store.Layout()
    seen = store.observe(layout)
    differing = [s for s in sorted({*wanted, *seen["sites"]}) if seen["sites"].get(s) != wanted.get(s)]
    held = {}
    for site in differing:
        held.update(store.fingerprints(layout, site))
    documents = {
        site: base64.b64encode(store.read(layout.document(site))).decode()
        for site in differing
        if site in seen["sites"]
    }
    return {
        "accounts": documents,
        "account_digests": seen["sites"],
        "account_damage": seen["damage"],
        "fingerprints": held,
    }


def _holder():
    """Who holds the apply lock; None when the kernel says that nobody does."""
    try:
        with open("/run/provision/lock", "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read_json(Path("/run/provision/holder.json"), None)
    except FileNotFoundError:
        pass
    return None
