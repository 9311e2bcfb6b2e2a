"""Save a plan to a file that its owner alone can read, and read it again."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from provision.apply.audit import stamp_now
from provision.apply.fleet_version import fleet_version
from provision.errors import ProvisionError, Refused
from provision.plan.change import Plan
from provision.plan.document import PlanDocument, parse_plan_document

_LARGEST = 512 * 1024**2


def bind(plan: Plan, fleet_dir: Path, unreached: Iterable[str]) -> PlanDocument:
    """The plan with what it was made from: by whom, when, from which fleet folder."""
    stamp = stamp_now(fleet_dir)
    return PlanDocument(
        plan=plan,
        fleet=fleet_version(fleet_dir),
        created=stamp.since,
        created_by=stamp.who,
        unreached=tuple(sorted(unreached)),
    )


def write_plan_file(document: PlanDocument, path: Path) -> None:
    """Write it whole or not at all, mode 0600; into a pipe or a device. Raises ProvisionError."""
    try:
        if _takes_a_stream(path):
            _pour(document.text(), path)
        else:
            _replace(document.text(), path)
    except OSError as error:
        raise ProvisionError(f"the plan cannot be saved to {path}: {error.strerror}") from error


def _takes_a_stream(path: Path) -> bool:
    """True for a pipe, a terminal, /dev/null; False for a file, or nothing yet.

    Raises OSError for all else: a file renamed over it would take its place.
    """
    try:
        own = path.lstat().st_mode
    except FileNotFoundError:
        return False
    mode = path.stat().st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return True
    if not stat.S_ISREG(own):
        what = "a link: name its file" if stat.S_ISLNK(own) else "neither a file nor a pipe"
        raise OSError(errno.EINVAL, f"it is {what}")
    return False


def _pour(text: str, path: Path) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_NOCTTY), "w", encoding="utf-8") as stream:
        stream.write(text)


def _replace(text: str, path: Path) -> None:
    """Write it beside and rename it over."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def read_plan_file(path: Path) -> PlanDocument:
    """Read a saved plan; raises Refused when it cannot be applied by this version."""
    try:
        if path.stat().st_size > _LARGEST:
            raise Refused(f"{path} is too large to be a plan")
        return parse_plan_document(path.read_bytes())
    except OSError as error:
        raise ProvisionError(f"the plan file {path} cannot be read: {error.strerror}") from error
