"""What is remembered of each generation: who brought it, what changed, and what came of it.

A generation's folder holds ``meta.json``, written when it is staged, and ``result.json``, written
when its apply has ended. A staged generation without a result was interrupted.
"""

from __future__ import annotations

import calendar
import shutil
import time
from pathlib import Path
from typing import Any

from .provision_durable import read_json, write_json
from .provision_generation import current_manifest, is_as_wanted, numbers_in
from .provision_layout import Layout
from .provision_request import Request
from .provision_steps import Steps

KEPT = 10
KEPT_SECONDS = 30 * 24 * 3600
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def describe(layout: Layout, number: int, request: Request) -> None:
    """Write meta.json of a generation that is about to become live."""
    values = {
        "rollback_of": None,
        **request.meta,
        "when": time.strftime(_FORMAT, time.gmtime()),
        "previous": current_manifest(layout)["generation"],
        "changes": changes(layout, request),
    }
    write_json(layout.generation(number) / "meta.json", values)


def changes(layout: Layout, request: Request) -> dict[str, list[str]]:
    """Paths that the request creates, updates and removes on this host."""
    recorded = current_manifest(layout)["files"]
    differing = [file.path for file in request.files if not is_as_wanted(layout, file)]
    wanted = {file.path for file in request.files}
    return {
        "created": [path for path in differing if path not in recorded],
        "updated": [path for path in differing if path in recorded],
        "removed": sorted(set(recorded) - wanted),
    }


def record_result(layout: Layout, number: int, result: dict[str, Any]) -> None:
    """Write result.json of generation ``number``; nothing happens when it is not kept here."""
    if not layout.generation(number).is_dir():
        return
    values = {
        "outcome": result["outcome"],
        "message": result["message"],
        "when": time.strftime(_FORMAT, time.gmtime()),
        "units": result.get("units", []),
    }
    write_json(layout.generation(number) / "result.json", values)


def outcome_of(layout: Layout, number: int) -> str:
    """How the apply of a generation ended; empty when it did not."""
    return str(read_json(layout.generation(number) / "result.json", {}).get("outcome", ""))


def prune(layout: Layout) -> None:
    """Forget old generations: the current one, the last ten good ones and a month's stay.

    Age is that of this host's clock; a clock that is off can cost no more than what is beyond ten.
    """
    numbers = numbers_in(layout.generations)
    good = [number for number in numbers if outcome_of(layout, number) == "applied"]
    kept = {*good[-KEPT:], current_manifest(layout)["generation"]}
    for number in numbers:
        if number not in kept and _age(layout, number) > KEPT_SECONDS:
            _forget(layout.generation(number))
    for number in sorted(set(numbers_in(layout.replaced)) - set(numbers_in(layout.generations))):
        _forget(layout.replaced / str(number))
    for left in (*layout.generations.glob(".forgotten-*"), *layout.replaced.glob(".forgotten-*")):
        shutil.rmtree(left)


def _forget(folder: Path) -> None:
    """Take the name first: a kill never leaves half of what can be gone back to."""
    Steps.before(f"forget {folder}")
    folder.rename(folder.with_name(f".forgotten-{folder.name}"))


def _age(layout: Layout, number: int) -> float:
    """Seconds since a generation was staged; one that does not say counts as old."""
    when = read_json(layout.generation(number) / "meta.json", {}).get("when")
    return time.time() - (calendar.timegm(time.strptime(when, _FORMAT)) if when else 0)
