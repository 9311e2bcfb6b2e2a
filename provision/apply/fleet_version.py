"""Which fleet folder and which templates these are: digests of their contents, and git's commit."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from provision.assets import playbooks_dir, templates_dir
from provision.plan.document import FleetVersion

_COMMIT = re.compile("[0-9a-f]{40,64}")
_MOST = 12
_OF_A_HOOK = ("GIT_DIR", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX")
"""Set by git for its hooks, and seen from where those run, not from the folder (githooks(5))."""


def fleet_version(fleet_dir: Path) -> FleetVersion:
    """The version of a fleet folder as it stands, and of this program's templates."""
    commit, dirty = commit_of(fleet_dir)
    return FleetVersion(
        commit=commit,
        dirty=dirty,
        digest=fleet_digest(fleet_dir),
        templates=folder_digest(templates_dir(), playbooks_dir()),
    )


def commit_of(fleet_dir: Path) -> tuple[str, bool]:
    """Full id of the commit that a folder is at, and whether it has changes that are in none.

    Empty outside of git. What else is in the repository does not count, nor does our own state.
    """
    commit = _git(fleet_dir, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return "", False
    changes = _git(fleet_dir, "status", "--porcelain", "--", ".", ":(exclude).provision")
    return commit, bool(changes)


def moves_since(fleet_dir: Path, commit: str) -> Iterator[str]:
    """What git knows about the folder since ``commit``: a line per commit and changed file."""
    if not _COMMIT.fullmatch(commit):
        return
    log = ("log", f"-{_MOST}", "--format=commit %h of %an: %s", f"{commit}..HEAD", "--", ".")
    names = ("diff", "--name-status", "--relative", commit, "--", ".")
    lines = [*_git(fleet_dir, *log).splitlines(), *_git(fleet_dir, *names).splitlines()]
    for line in lines[:_MOST]:
        yield "".join(c if c.isprintable() else " " for c in line)
    if len(lines) > _MOST:
        yield f"and {len(lines) - _MOST} more"


def fleet_digest(fleet_dir: Path) -> str:
    """SHA-256 over the folder's YAML files and all that its subfolders hold.

    Other files beside fleet.yml are no part of a spec: the plan file itself may lie there.
    """
    files = [path for path in _files(fleet_dir) if _is_spec(path, fleet_dir)]
    return _digest(fleet_dir, files)


def _is_spec(path: Path, fleet_dir: Path) -> bool:
    return path.parent != fleet_dir or path.suffix == ".yml"


def folder_digest(*folders: Path) -> str:
    """SHA-256 over names and contents of all regular files in folders."""
    parts = [_digest(folder, _files(folder)) for folder in folders]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _digest(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        content, name = path.read_bytes(), str(path.relative_to(root))
        digest.update(f"{len(content)} {name}\0".encode("utf-8", "surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    """Regular files, sorted; hidden ones (.git, .provision, a vault's password) are left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(n for n in folders if n[0] != "." and n != "__pycache__")
        paths = (Path(folder, name) for name in sorted(names) if name[0] != ".")
        yield from (path for path in paths if path.is_file() and path.suffix != ".pyc")


def _git(folder: Path, *words: str) -> str:
    """What git says; empty when there is no git or no repository."""
    argv = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=20, env=_environment()
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _environment() -> dict[str, str]:
    """Ours, without the repository of a hook; a person who names a work tree means it."""
    if "GIT_WORK_TREE" in os.environ:
        return dict(os.environ)
    return {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
