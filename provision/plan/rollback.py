"""What going back would change on a host: an earlier generation minus what is live; pure."""

from __future__ import annotations

from collections.abc import Iterator

from provision.errors import Refused
from provision.model.bundle import Verb
from provision.plan.access import access_of
from provision.plan.change import (
    Action,
    Basis,
    Change,
    HostPlan,
    Kind,
    UnitAction,
    sorted_changes,
)
from provision.plan.files import SECRET_CHANGED, unified
from provision.plan.generations import Generation, Manifest, Memory
from provision.plan.state import FileState, RecordedFile

_SIDES = ("now", "then")


def target_of(host: str, memory: Memory, wanted: int | None) -> int:
    """The generation whose files shall come back: ``wanted``, or the last other one that was live.

    After a rollback that is the one before the generation that it brought back, so that going back
    twice goes back further. Raises Refused when there is none to go back to.
    """
    current = memory.current
    if current is None:
        raise Refused("it has no generation to go back from", hint="provision apply")
    if wanted is None:
        original = _original(memory, current)
        if original is None or not original.previous:
            raise Refused(
                f"nothing is kept from before the files of generation {current.number}",
                hint=f"provision history --host {host}",
            )
        wanted = original.previous
    found = memory.find(wanted)
    if found is None:
        raise Refused(
            f"it does not keep generation {wanted}", hint=f"provision history --host {host}"
        )
    if found.outcome not in {"applied", "unproved"}:
        raise Refused(
            f"generation {wanted} never served: {found.outcome}",
            hint=f"provision history --host {host}",
        )
    return wanted


def _original(memory: Memory, generation: Generation) -> Generation | None:
    """The generation whose files this one has: itself, or the one that a rollback brought back.

    None when that one is not kept. A rollback is always of a smaller number, so this ends.
    """
    found: Generation | None = generation
    while found is not None and found.rollback_of is not None:
        found = memory.find(found.rollback_of) if found.rollback_of < found.number else None
    return found


def plan_rollback(host: str, memory: Memory) -> HostPlan:
    """The plan of a rollback to ``memory.base``; what the host will do is the same rule."""
    if memory.base is None:
        raise Refused(f"{host} does not keep that generation any more")
    changes = sorted_changes([*_system(memory.base, memory), *_changes(memory.base, memory)])
    actions = tuple(sorted(_unit_actions(memory.base, memory, changes)))
    state = memory.state
    return HostPlan(
        host,
        state.generation,
        changes,
        actions,
        access=access_of(changes, actions),
        basis=Basis(memory.base.digest(), state.manifest_digest(), state.observed_digest()),
    )


def _system(base: Manifest, memory: Memory) -> Iterator[Change]:
    """Packages and users come back before its files; what is newer stays until the next apply."""
    for name in base.packages:
        if name not in memory.state.packages:
            yield Change(Kind.PACKAGE, name, Action.CREATE)
    for name, (home, _groups) in base.users.items():
        if name not in memory.state.users:
            yield Change(Kind.USER, name, Action.CREATE, f"home {home}")
    for name in memory.state.leaving.units:
        state = memory.state.units.get(name)
        if state is not None and (state.is_running or state.is_enabled):
            yield Change(Kind.UNIT, name, Action.DELETE, "stop, disable")


def _changes(base: Manifest, memory: Memory) -> Iterator[Change]:
    for path, then in base.files.items():
        state = memory.state.files.get(path)
        if state is None:
            diff = _diff(path, then, b"", memory)
            yield Change(Kind.FILE, path, Action.CREATE, f"mode {then.mode:04o}", diff)
        elif words := _differences(then, state):
            diff = ""
            if state.kind != "file" or state.sha256 != then.sha256:
                diff = _diff(path, then, state.content, memory)
                words = [SECRET_CHANGED, *words[1:]] if then.secret else words[1:]
            yield Change(Kind.FILE, path, Action.UPDATE, "; ".join(words), diff)
    for path in set(memory.state.recorded) - set(base.files):
        if path in memory.state.files:
            yield Change(Kind.FILE, path, Action.DELETE)


def _differences(then: RecordedFile, state: FileState) -> list[str]:
    words = [] if (state.kind, state.sha256) == ("file", then.sha256) else ["content"]
    was, now = (f"{e.mode:04o} {e.owner}:{e.group}" for e in (state, then))
    return words if was == now else [*words, f"{was} -> {now}"]


def _diff(path: str, then: RecordedFile, now: bytes | None, memory: Memory) -> str:
    if then.secret:
        return ""
    return unified(path, now, memory.contents.get(path), sides=_SIDES)


def _unit_actions(
    base: Manifest, memory: Memory, changes: tuple[Change, ...]
) -> Iterator[UnitAction]:
    verbs: dict[str, dict[str, Verb]] = {}
    for change in changes:
        if change.kind is not Kind.FILE:
            continue
        record = base.files.get(change.name) or memory.state.recorded[change.name]
        for activation in record.activations:
            verbs.setdefault(activation.unit, {})[change.name] = activation.verb
    for name in base.units:
        state = memory.state.units.get(name)
        if state is None or not state.is_running:
            yield UnitAction(name, "start", ("not running",))
            verbs.pop(name, None)
    for unit, reasons in verbs.items():
        if unit in memory.state.leaving.units:
            continue
        verb = max(reasons.values())
        if verb:
            yield UnitAction(unit, verb.name.lower(), tuple(sorted(reasons)))
