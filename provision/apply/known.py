"""Remember that a plan was empty: equal inputs and an equal answer of the host make an equal plan.

Everything up to the plan is pure, so when neither the fleet folder, nor this program, nor the host
has moved, nothing need be read, rendered or compared again. What is kept holds digests only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision import __version__
from provision.assets import program_state
from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.observe import observe, on_each
from provision.hosts.target import Target
from provision.plan.change import HostPlan, Plan

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Found:
    """An empty plan of one host, and what it was made from."""

    target: Target
    request: str
    reply: bytes
    generation: int


def still_empty(
    inputs: str, fleet_dir: Path, connection: Connection, hosts: tuple[str, ...]
) -> tuple[Plan, Mapping[str, ProvisionError]] | None:
    """The empty plan of hosts that answer as they did when it was found, and others' errors.

    None when anything has moved: then it is time to look properly.
    """
    kept = _read(fleet_dir)
    if kept.get("inputs") != inputs or not kept.get("hosts"):
        return None
    if not (set(hosts) <= set(kept["hosts"]) if hosts else kept["complete"]):
        return None
    entries = {name: entry for name, entry in kept["hosts"].items() if not hosts or name in hosts}
    targets = [Target(name, *entry["target"]) for name, entry in entries.items()]

    def is_same(target: Target) -> bool:
        reply = observe(target, connection, entries[target.name]["request"])
        return _digest(reply) == str(entries[target.name]["reply"])

    same, failures = on_each(targets, is_same)
    if not all(same.values()):
        return None
    return Plan(tuple(HostPlan(name, entries[name]["generation"], ()) for name in same)), failures


def remember(inputs: str, fleet_dir: Path, found: Iterable[Found], *, complete: bool) -> None:
    """Keep the empty plans that were found. ``complete``: they are of every host of the fleet."""
    hosts = {
        one.target.name: {
            "target": [one.target.address, one.target.port, one.target.user],
            "request": one.request,
            "reply": _digest(one.reply),
            "generation": one.generation,
        }
        for one in found
    }
    values = {"version": _VERSION, "inputs": inputs, "complete": complete, "hosts": hosts}
    with contextlib.suppress(OSError):  # only speed is lost
        _write(fleet_dir / ".provision", json.dumps(values))


def inputs_digest(fleet_dir: Path, connection: Connection, vault_password_file: Path | None) -> str:
    """Digest of all that a plan depends on but the hosts: folder, program, day, way there.

    The day, because certificates come due; files of the program by size and time, as make does.
    """
    digest = hashlib.sha256()
    about = [__version__, time.strftime("%Y-%m-%d"), repr(connection)]
    digest.update("\0".join([*about, str(fleet_dir.resolve())]).encode())
    digest.update("\0".join(program_state()).encode())
    for path in _inputs(fleet_dir, vault_password_file):
        content = path.read_bytes()
        digest.update(f"\0{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _inputs(fleet_dir: Path, vault_password_file: Path | None) -> Iterator[Path]:
    local = fleet_dir / ".provision"
    for folder, folders, names in os.walk(fleet_dir):
        if Path(folder) == fleet_dir:
            folders[:] = [name for name in folders if name not in {".git", ".provision"}]
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names))
    yield from (path for path in sorted(local.glob("ca/**/*")) if path.is_file())
    password = local / "vault-password"
    yield from (path for path in (password, vault_password_file) if path and path.is_file())


def _read(fleet_dir: Path) -> Mapping[str, Any]:
    try:
        values: dict[str, Any] = json.loads((fleet_dir / ".provision/known.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return values if values.get("version") == _VERSION else {}


def _write(folder: Path, text: str) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    temporary = folder / f".known.{os.getpid()}"
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.rename(folder / "known.json")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
