"""Compare files: bytes, mode and owner, with a unified diff that masks what is secret."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from provision.model.bundle import Bundle, ManagedFile
from provision.plan.change import Action, Change, Kind, Origin
from provision.plan.state import FileState, HostState, RecordedFile

SECRET_CHANGED = "(secret changed)"  # noqa: S105 - what a plan shows instead of one


def diff_files(desired: Bundle, actual: HostState) -> Iterator[Change]:
    """Files to create and update, and those of the last generation that the bundle has no more."""
    for file in desired.files:
        change = _diff_file(file, actual.files.get(file.path), actual.recorded.get(file.path))
        if change is not None:
            yield change
    wanted = {file.path for file in desired.files}
    for path in sorted(set(actual.recorded) - wanted):
        state = actual.files.get(path)
        if state is not None:
            yield _deletion(path, state, actual.recorded[path])


def _diff_file(
    file: ManagedFile, state: FileState | None, recorded: RecordedFile | None
) -> Change | None:
    if state is None:
        origin = Origin.DRIFT if recorded else Origin.INTENT
        detail = f"{len(file.content)} bytes, mode {file.mode:04o}"
        diff = "" if file.secret else unified(file.path, b"", file.content)
        return Change(Kind.FILE, file.path, Action.CREATE, detail, diff, origin)
    same = state.kind == "file" and state.sha256 == file.sha256()
    words = _attribute_words(file, state)
    if same and not words:
        return None
    diff = ""
    if not same:
        masked = file.secret or (recorded is not None and recorded.secret)
        if masked:
            words.insert(0, SECRET_CHANGED)
        else:
            diff = unified(file.path, state.content, file.content)
    return Change(
        Kind.FILE, file.path, Action.UPDATE, "; ".join(words), diff, _origin(state, recorded)
    )


def _attribute_words(file: ManagedFile, state: FileState) -> list[str]:
    words = [] if state.kind == "file" else [f"is a {state.kind}"]
    if state.kind == "file" and state.mode != file.mode:
        words.append(f"mode {state.mode:04o} -> {file.mode:04o}")
    if (state.owner, state.group) != (file.owner, file.group):
        words.append(f"owner {state.owner}:{state.group} -> {file.owner}:{file.group}")
    return words


def _origin(state: FileState, recorded: RecordedFile | None) -> Origin:
    if recorded is None:
        return Origin.INTENT
    have = (state.kind, state.sha256, state.mode, state.owner, state.group)
    left = ("file", recorded.sha256, recorded.mode, recorded.owner, recorded.group)
    return Origin.INTENT if have == left else Origin.DRIFT


def _deletion(path: str, state: FileState, recorded: RecordedFile) -> Change:
    diff = "" if recorded.secret or state.content is None else unified(path, state.content, b"")
    return Change(Kind.FILE, path, Action.DELETE, "", diff, _origin(state, recorded))


def unified(
    path: str, old: bytes | None, new: bytes | None, *, sides: tuple[str, str] = ("host", "spec")
) -> str:
    """Unified diff of two texts; a note when one is not text or was too large to be sent."""
    if old is None or new is None:
        return "(the content on the host is too large to show)\n"
    try:
        before, after = old.decode("utf-8"), new.decode("utf-8")
    except UnicodeDecodeError:
        return f"(binary: {len(old)} -> {len(new)} bytes)\n"
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        fromfile=f"{path} ({sides[0]})",
        tofile=f"{path} ({sides[1]})",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
