"""What on a host is not as its last apply left it: actual minus the current generation; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from provision.plan.change import Kind
from provision.plan.files import SECRET_CHANGED, unified
from provision.plan.generations import Manifest, Memory
from provision.plan.state import FileState, RecordedFile

_SIDES = ("generation", "host")


class Drifted(StrEnum):
    """How an object is not as it was left."""

    CHANGED = "changed"
    MISSING = "missing"
    FOREIGN = "foreign"


@dataclass(frozen=True, order=True, slots=True)
class Finding:
    """One object that is not as the last apply left it."""

    kind: Kind
    name: str
    what: Drifted
    detail: str = ""
    diff: str = ""
    """Unified diff from the generation to the host; empty where there is none to show."""

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return {
            "kind": self.kind.word,
            "name": self.name,
            "what": self.what.value,
            "detail": self.detail,
            "diff": self.diff,
        }


def find_drift(memory: Memory) -> tuple[Finding, ...]:
    """Everything on the host that the current generation does not account for, sorted.

    A host that has no generation of ours cannot drift.
    """
    if memory.base is None:
        return ()
    return tuple(
        sorted(
            [
                *_interrupted(memory),
                *_packages(memory.base, memory),
                *_directories(memory.base, memory),
                *_files(memory.base, memory),
                *_units(memory.base, memory),
                *_users(memory.base, memory),
                *_accounts(memory),
            ]
        )
    )


def _interrupted(memory: Memory) -> Iterator[Finding]:
    if memory.state.dpkg_interrupted:
        yield Finding(Kind.REPAIR, "dpkg", Drifted.CHANGED, "was interrupted")
    if memory.state.switch_interrupted:
        yield Finding(Kind.REPAIR, "generation", Drifted.CHANGED, "a switch was interrupted")


def _packages(base: Manifest, memory: Memory) -> Iterator[Finding]:
    for name in base.packages:
        if name not in memory.state.packages:
            yield Finding(Kind.PACKAGE, name, Drifted.MISSING, "is not installed")


def _directories(base: Manifest, memory: Memory) -> Iterator[Finding]:
    for path, left in base.directories.items():
        state = memory.state.directories.get(path)
        if state is None:
            yield Finding(Kind.DIRECTORY, path, Drifted.MISSING)
            continue
        words = _attributes(left, state)
        if words:
            yield Finding(Kind.DIRECTORY, path, Drifted.CHANGED, words)
        for name in state.foreign:
            yield Finding(Kind.FILE, name, Drifted.FOREIGN, "no generation wrote it")


def _files(base: Manifest, memory: Memory) -> Iterator[Finding]:
    for path, left in base.files.items():
        state = memory.state.files.get(path)
        if state is None:
            yield Finding(Kind.FILE, path, Drifted.MISSING)
        elif finding := _changed_file(path, left, state, memory):
            yield finding


def _changed_file(
    path: str, left: RecordedFile, state: FileState, memory: Memory
) -> Finding | None:
    is_file = state.kind == "file"
    is_same = is_file and state.sha256 == left.sha256
    words = [] if is_file else [f"is a {state.kind}"]
    attributes = _attributes(left, state)
    words += [attributes] if attributes and is_file else []
    diff = ""
    if not is_same and left.secret:
        words.insert(0, SECRET_CHANGED.strip("()"))
    elif not is_same and is_file:
        diff = unified(path, memory.contents.get(path), state.content, sides=_SIDES)
    if is_same and not words:
        return None
    return Finding(Kind.FILE, path, Drifted.CHANGED, "; ".join(words), diff)


def _attributes(left: Any, state: Any) -> str:
    was, now = (f"{e.mode:04o} {e.owner}:{e.group}" for e in (left, state))
    return "" if was == now else f"{was} -> {now}"


def _units(base: Manifest, memory: Memory) -> Iterator[Finding]:
    for name in base.units:
        state = memory.state.units.get(name)
        if state is None or state.load == "not-found":
            yield Finding(Kind.UNIT, name, Drifted.MISSING)
            continue
        words = [] if state.is_running else [f"is {state.active}"]
        words += [] if state.is_enabled else [f"is {state.enabled or 'not enabled'}"]
        if words:
            yield Finding(Kind.UNIT, name, Drifted.CHANGED, ", ".join(words))


def _users(base: Manifest, memory: Memory) -> Iterator[Finding]:
    for name in base.users:
        if name not in memory.state.users:
            yield Finding(Kind.USER, name, Drifted.MISSING)


def _accounts(memory: Memory) -> Iterator[Finding]:
    details = {
        Drifted.CHANGED: "is not as the last compile left it",
        Drifted.MISSING: "was compiled and is gone",
        Drifted.FOREIGN: "no compile wrote it",
    }
    for name, word in memory.accounts:
        what = Drifted(word)
        yield Finding(Kind.ACCOUNTS, name, what, details[what] if name.startswith("/") else "")
