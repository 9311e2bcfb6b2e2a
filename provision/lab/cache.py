"""Things made once and kept: each built under a lock and put in place whole, or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.lab.programs import remove_tree


def cache_dir() -> Path:
    """Where images, packages and keys are kept: /var/cache/provision-lab, or as configured."""
    return Path(os.environ.get("PROVISION_LAB_CACHE") or "/var/cache/provision-lab")


def state_dir() -> Path:
    """Where labs keep their machines: /var/lib/provision-lab, or $PROVISION_LAB_STATE."""
    return Path(os.environ.get("PROVISION_LAB_STATE") or "/var/lib/provision-lab")


def key_of(recipe: object) -> str:
    """A short name of a recipe (anything JSON can hold): equal recipes, equal names."""
    text = json.dumps(recipe, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` (flock(2)); waits for another holder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def built_once(target: Path, build: Callable[[Path], None]) -> Path:
    """Return ``target``, a folder; when missing, ``build`` fills a new folder that becomes it.

    Two processes may ask at once: one builds, the other waits. A build that fails leaves nothing.
    """
    if target.is_dir():
        return target
    with locked(target.with_name(f"{target.name}.lock")):
        if not target.is_dir():
            scratch = target.with_name(f"{target.name}.building")
            remove_tree(scratch)  # of a builder that was killed
            scratch.mkdir()
            try:
                build(scratch)
                scratch.rename(target)
            except BaseException:
                remove_tree(scratch)
                raise
    return target
