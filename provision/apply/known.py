"""Remember that a plan was empty: equal inputs and an equal answer of the host make an equal plan.

Everything up to the plan is pure, so when neither the fleet folder, nor this program, nor the host
has moved, nothing need be read, rendered or compared again. What is kept holds digests only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision.apply.inputs import Basis, Inputs
from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.observe import Known, Reply, observe_again, on_each
from provision.hosts.target import Target
from provision.plan.change import HostPlan, Plan
from provision.spec.memory_switch import is_off

_VERSION = 3


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
    kept = dict(_read(fleet_dir))
    if not kept.get("hosts"):
        return None
    now = inputs.look()
    marks = now.marks()
    is_marked = bool(marks) and marks == kept["marks"]
    if not is_marked and now.is_newer_than(fleet_dir / ".provision/known.json"):
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

    before = kept["marks"], [entry["glance"] for entry in entries.values()]
    with ThreadPoolExecutor(1) as pool:  # while the hosts answer
        digest = None if is_marked else pool.submit(now.digest)
        same, failures = on_each(targets, reach, is_same)
    if not all(same.values()) or (digest and digest.result() != kept["inputs"]):
        return None
    kept["marks"] = marks
    if before != (marks, [entry["glance"] for entry in entries.values()]):
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


def remember(basis: Basis, fleet_dir: Path, found: Iterable[Found], *, complete: bool) -> None:
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
    about = {"version": _VERSION, "inputs": basis.digest, "marks": basis.marks}
    _keep(fleet_dir, {**about, "complete": complete, "hosts": hosts})


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
