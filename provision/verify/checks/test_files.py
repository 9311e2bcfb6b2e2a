"""Files of ours: as rendered, owned as rendered, secrets closed."""

from __future__ import annotations

from provision.model.bundle import Bundle, ManagedDirectory, ManagedFile
from provision.verify.outcome import require_none
from provision.verify.snapshot import Snapshot

_APPLY = "`provision plan` shows the difference, `provision apply` mends it."


def test_files_have_their_content(bundle: Bundle, snapshot: Snapshot) -> None:
    """Every file of ours has the content that the spec asks for."""
    wrong = []
    for file in bundle.files:
        facts = snapshot.files[file.path]
        if facts is None:
            wrong.append(f"{file.path} is missing")
        elif facts.sha256 != file.sha256():
            wrong.append(f"{file.path} was changed")
    require_none(wrong, hint=_APPLY)


def test_files_have_their_owner_and_mode(bundle: Bundle, snapshot: Snapshot) -> None:
    """Every file of ours has its owner, group and mode."""
    require_none(_misplaced(bundle.files, snapshot), hint=_APPLY)


def test_directories_have_their_owner_and_mode(bundle: Bundle, snapshot: Snapshot) -> None:
    """Every directory of ours is there with its owner, group and mode."""
    require_none(_misplaced(bundle.directories, snapshot), hint=_APPLY)


def test_folders_hold_nothing_foreign(snapshot: Snapshot) -> None:
    """The folders that are ours hold no file that somebody else put there."""
    wrong = [f"{path} is none of ours" for path in snapshot.foreign]
    require_none(wrong, hint="A daemon may read it: look at it and move it away.")


def test_secrets_are_closed_to_others(bundle: Bundle, snapshot: Snapshot) -> None:
    """No file with a secret can be read by every user of the host."""
    secret = [(file.path, snapshot.files[file.path]) for file in bundle.files if file.secret]
    wrong = [f"{path} can be read by all" for path, facts in secret if facts and facts.mode & 0o007]
    require_none(wrong, hint=_APPLY)


def _misplaced(
    things: tuple[ManagedFile, ...] | tuple[ManagedDirectory, ...], snapshot: Snapshot
) -> list[str]:
    wrong = []
    for thing in things:
        facts = snapshot.files[thing.path]
        wanted = f"{thing.owner}:{thing.group} {thing.mode:04o}"
        found = f"{facts.owner}:{facts.group} {facts.mode:04o}" if facts else "missing"
        if found != wanted:
            wrong.append(f"{thing.path} is {found}, not {wanted}")
    return wrong
