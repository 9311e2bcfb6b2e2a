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
import hashlib
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
PACKAGE = "provision_host"
"""Our modules import each other from the package that they are in."""
UNFINISHED = (f"{STATE}/journal.json", f"{STATE}/unconfirmed.json")
"""A switch that did not end, or that waits for its confirmation."""
LARGEST_CONTENT = 512 * 1024
SETTLED = {"", "installed", "config-files", "not-installed"}
UNIT_FIELDS = {
    "LoadState": "load",
    "ActiveState": "active",
    "SubState": "sub",
    "UnitFileState": "enabled",
}


def answer(
    request: dict[str, Any], store: Any, load_archive: Callable[[], Any] | None = None
) -> dict[str, Any]:
    """Look at everything the request names; returns JSON values.

    ``store`` is the module provision_account_store, which knows where account data is;
    ``load_archive`` gives provision_account_archive, which only a difference
    needs; without it no mail is counted.
    """
    units = Units(request["units"])
    generation, recorded = _current_generation()
    packages, interrupted = _packages(set(request["packages"]))
    return {
        "release": _release(),
        "generation": generation,
        "recorded": recorded,
        "files": _files(request["files"], recorded),
        "directories": _directories(request, recorded),
        "packages": packages,
        "users": _users(request["users"]),
        **_accounts(request["accounts"], store, load_archive),
        "dpkg_interrupted": interrupted,
        "switch_interrupted": any(map(os.path.lexists, UNFINISHED)),
        "pending": _read_json(f"{STATE}/pending.json", []),
        **_held(),
        "units": units.answer(),
    }


def load_module(name: str, source: str) -> Any:
    """Make a module of a source text; a dataclass looks its own up among the loaded ones."""
    module = sys.modules[f"{PACKAGE}.{name}"] = type(sys)(f"{PACKAGE}.{name}")
    module.__package__ = PACKAGE
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102 - our own source, sent along
    return module


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


def _current_generation() -> tuple[int, dict[str, Any]]:
    manifest = _read_json(f"{STATE}/current/manifest.json", None)
    if manifest is None:
        return 0, {}
    return manifest["generation"], manifest["files"]


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
        content = _read(path)
        state["sha256"] = hashlib.sha256(content).hexdigest()
        if state["sha256"] != digest and not secret and len(content) <= LARGEST_CONTENT:
            state["content"] = _base64(content)
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


class Units:
    """Asks systemd about units while the rest is looked at."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        if not names:
            return
        self.reader, writer = os.pipe()
        properties = ",".join(["Id", *UNIT_FIELDS])
        os.posix_spawnp(
            "systemctl",
            ["systemctl", "show", "--property", properties, "--", *names],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)],
        )
        os.close(writer)

    def answer(self) -> dict[str, Any]:
        """What it said, by unit."""
        if not self.names:
            return {}
        with open(self.reader, encoding="utf-8") as pipe:
            blocks = pipe.read().strip("\n").split("\n\n")
        os.wait()
        return dict(zip(self.names, map(_unit, blocks), strict=True))


def _unit(block: str) -> dict[str, str]:
    values = dict(line.split("=", 1) for line in block.splitlines())
    return {field: values.get(key, "") for key, field in UNIT_FIELDS.items()}


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
    wanted: dict[str, str], store: Any, load_archive: Callable[[], Any] | None
) -> dict[str, Any]:
    """Documents that differ from the wanted digests, with the fingerprints of their passwords."""
    layout = store.Layout()
    seen = store.observe(layout)
    have = seen["sites"]
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
    seen = sys.modules[f"{PACKAGE}.provision_holder"]
    hold = seen.current_hold()
    return {
        "holder": seen.lock_holder(),
        "hold": None if hold is None or hold["expired"] else hold,
    }
