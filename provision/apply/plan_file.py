"""Save a plan to a file that its owner alone can read, and read it again."""

from __future__ import annotations

import contextlib
import os
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
    """Write it beside and rename it over: whole or not at all, mode 0600. Raises ProvisionError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(document.text())
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise ProvisionError(f"the plan cannot be saved to {path}: {error.strerror}") from error


def read_plan_file(path: Path) -> PlanDocument:
    """Read a saved plan; raises Refused when it cannot be applied by this version."""
    try:
        if path.stat().st_size > _LARGEST:
            raise Refused(f"{path} is too large to be a plan")
        return parse_plan_document(path.read_bytes())
    except OSError as error:
        raise ProvisionError(f"the plan file {path} cannot be read: {error.strerror}") from error
