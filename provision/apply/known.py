"""Remember that a plan was empty: equal inputs and an equal answer of the host make an equal plan.

Everything up to the plan is pure, so when neither the fleet folder, nor this program, nor the host
has moved, nothing need be read, rendered or compared again. What is kept holds digests only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision import __version__
from provision.assets import program_state
from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.observe import Known, Reply, observe_again, on_each
from provision.hosts.target import Target
from provision.plan.change import HostPlan, Plan
from provision.spec.memory_switch import is_off

_VERSION = 2


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a plan depends on but the hosts: folder, program, day, way there."""

    fleet_dir: Path
    connection: Connection
    vault_password_file: Path | None

    def digest(self) -> str:
        """A digest of it. The day, because certificates come due; the program as make knows it."""
        digest = hashlib.sha256()
        about = [__version__, time.strftime("%Y-%m-%d"), repr(self.connection)]
        digest.update("\0".join([*about, str(self.fleet_dir.resolve())]).encode())
        digest.update("\0".join(program_state()).encode())
        for path, _changed in self._files():
            content = _read_bytes(path)
            digest.update(f"\0{path}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    def are_newer_than(self, path: Path) -> bool:
        """True when a file was written after this one: then nobody need digest them to know."""
        limit = path.stat().st_mtime_ns
        return any(changed > limit for _file, changed in self._files())

    def _files(self) -> Iterator[tuple[str, int]]:
        """Regular files and when they were written; a link of an editor to nowhere is none."""
        for path in self._paths():
            with contextlib.suppress(OSError):
                state = os.stat(path)  # noqa: PTH116 - thousands of them
                if stat.S_ISREG(state.st_mode):
                    yield path, state.st_mtime_ns

    def _paths(self) -> Iterator[str]:
        local = self.fleet_dir / ".provision"
        for folder, folders, names in os.walk(self.fleet_dir):
            if Path(folder) == self.fleet_dir:
                folders[:] = [name for name in folders if name not in {".git", ".provision"}]
            folders.sort()
            yield from (f"{folder}/{name}" for name in sorted(names))
        yield from map(str, sorted(local.glob("ca/**/*")))
        others = (local / "vault-password", self.vault_password_file)
        yield from (str(path) for path in others if path)


def _read_bytes(path: str) -> bytes:
    """The content of a file; what cannot be read is in no plan, and counts as empty."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - thousands of them: a third of the time
            return file.read()
    except OSError:
        return b""


@dataclass(frozen=True, slots=True)
class Found:
    """An empty plan of one host, and what it was made from."""

    target: Target
    request: str
    reply: Reply
    generation: int
    units: tuple[str, ...]
    """The units whose states were asked for."""


def still_empty(
    inputs: Inputs, fleet_dir: Path, connection: Connection, hosts: tuple[str, ...]
) -> tuple[Plan, Mapping[str, ProvisionError]] | None:
    """The empty plan of hosts that answer as they did when it was found, and others' errors.

    None when anything has moved: then it is time to look properly.
    """
    kept = _read(fleet_dir)
    if not kept.get("hosts") or inputs.are_newer_than(fleet_dir / ".provision/known.json"):
        return None
    if not (set(hosts) <= set(kept["hosts"]) if hosts else kept["complete"]):
        return None
    entries = {name: entry for name, entry in kept["hosts"].items() if not hosts or name in hosts}
    targets = [Target(name, *entry["target"]) for name, entry in entries.items()]

    def reach(target: Target) -> Reply | None:
        entry = entries[target.name]
        known = Known(entry["request"], entry["glance"], entry["units"])
        return observe_again(target, connection, known)

    def is_same(target: Target, reply: Reply | None) -> bool:
        return reply is None or _is_same(entries[target.name], reply)

    before = [entry["glance"] for entry in entries.values()]
    with ThreadPoolExecutor(1) as pool:  # while the hosts answer
        digest = pool.submit(inputs.digest)
        same, failures = on_each(targets, reach, is_same)
    if not all(same.values()) or digest.result() != kept["inputs"]:
        return None
    if before != [entry["glance"] for entry in entries.values()]:
        _keep(fleet_dir, kept)
    return Plan(tuple(HostPlan(name, entries[name]["generation"], ()) for name in same)), failures


def _is_same(entry: dict[str, Any], reply: Reply) -> bool:
    """Whether a host that does not look the same says the same, and is known by that look now."""
    if _digest(reply.content) != entry["reply"]:
        return False
    entry["glance"] = reply.glance
    return True


def known_requests(fleet_dir: Path) -> Mapping[str, str]:
    """What each host was asked when its plan was last empty, by its name."""
    hosts: dict[str, Any] = _read(fleet_dir).get("hosts", {})
    return {name: entry["request"] for name, entry in hosts.items()}


def remember(inputs: str, fleet_dir: Path, found: Iterable[Found], *, complete: bool) -> None:
    """Keep the empty plans that were found. ``complete``: they are of every host of the fleet."""
    hosts = {
        one.target.name: {
            "target": [one.target.address, one.target.port, one.target.user],
            "request": one.request,
            "reply": _digest(one.reply.content),
            "glance": one.reply.glance,
            "units": one.units,
            "generation": one.generation,
        }
        for one in found
    }
    values = {"version": _VERSION, "inputs": inputs, "complete": complete, "hosts": hosts}
    _keep(fleet_dir, values)


def _keep(fleet_dir: Path, values: Mapping[str, Any]) -> None:
    if is_off():
        return
    with contextlib.suppress(OSError):  # only speed is lost
        _write(fleet_dir / ".provision", json.dumps(values))


def _read(fleet_dir: Path) -> Mapping[str, Any]:
    if is_off():
        return {}
    try:
        values: dict[str, Any] = json.loads((fleet_dir / ".provision/known.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return values if values.get("version") == _VERSION else {}


def _write(folder: Path, text: str) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    temporary = folder / f".known.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        temporary.rename(folder / "known.json")
    except OSError:
        temporary.unlink()
        raise


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
