"""The switch from one generation to the next, and the way back from wherever it stopped.

Before the first live file changes, the old ones are copied to generations/N/before/ and the
journal names N. While the journal exists nothing has proved the new files, and ``recover`` puts
back what was there. Units that leave stop before their files go. Deletions come last, and
``current`` is flipped after them. ``commit``, after the proof, removes the journal: from then on
the new generation is the one that stays.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from .provision_durable import (
    SETTLED,
    Attributes,
    ensure_directory,
    link,
    make_private,
    move_over,
    read_json,
    remove,
    remove_empty,
    sweep,
    write,
    write_json,
)
from .provision_generation import (
    current_manifest,
    is_as_wanted,
    is_directory_as_wanted,
    point_current_at,
)
from .provision_layout import Layout
from .provision_leaving_units import bring_back, disable, disabled_among, standing_among, stop
from .provision_request import Request, WantedDirectory, directories_of
from .provision_steps import Steps


def switch(layout: Layout, number: int, request: Request) -> list[str]:
    """Make generation ``number``, already staged, the live one; returns the paths that changed.

    It is on trial until ``commit``: a power cut before that brings back the old one.
    """
    changed = [file for file in request.files if not is_as_wanted(layout, file)]
    removed = removals(layout, request)
    directories = [
        d
        for d in request.directories
        if not is_directory_as_wanted(layout.live(d.path), d.attributes)
    ]
    paths = [*[file.path for file in changed], *removed]
    emptied = leaving_directories(layout, request)
    units = standing_among(leaving_units(layout, request))
    coming = disabled_among(coming_units(layout, request))
    _save_before(
        layout,
        number,
        files=paths,
        directories=[*directories, *emptied],
        units=units,
        coming=coming,
    )
    previous = current_manifest(layout)["generation"]
    write_json(layout.journal, {"to": number, "from": previous})
    stop(units)
    for directory in directories:
        ensure_directory(layout.live(directory.path), directory.attributes)
    for file in changed:
        staged = layout.staged(number) / file.path.lstrip("/")
        write(layout.live(file.path), staged.read_bytes(), file.attributes, age=SETTLED)
    for path in removed:
        remove(layout.live(path))
    for directory in reversed(emptied):
        remove_empty(layout.live(directory.path))
    link(layout.current, point_current_at(layout, number))
    return paths


def commit(layout: Layout) -> None:
    """Keep the generation that is live: it was proved."""
    remove(layout.journal)


def removals(layout: Layout, request: Request) -> list[str]:
    """Paths that the current generation wrote and the next one has no more."""
    wanted = {file.path for file in request.files}
    recorded = current_manifest(layout)["files"]
    return [path for path in sorted(recorded) if path not in wanted]


def leaving_directories(layout: Layout, request: Request) -> list[WantedDirectory]:
    """Directories that were ours alone and that the next generation has no more, by path."""
    wanted = {directory.path for directory in request.directories}
    recorded = directories_of(current_manifest(layout))
    return [d for d in recorded if d.ours and d.path not in wanted and layout.live(d.path).is_dir()]


def leaving_units(layout: Layout, request: Request) -> list[str]:
    """Units of the current generation that the next one has no more."""
    return [unit for unit in current_manifest(layout)["units"] if unit not in request.units]


def coming_units(layout: Layout, request: Request) -> list[str]:
    """Units that the current generation has not got."""
    return [unit for unit in request.units if unit not in current_manifest(layout)["units"]]


def stopped_by(layout: Layout, number: int) -> list[list[str]]:
    """Units that the switch to ``number`` has stopped, with their states before."""
    entries = read_json(layout.generation(number) / "before" / ".entries.json", {})
    stopped: list[list[str]] = entries.get("units", [])
    return stopped


def _enabled_by(layout: Layout, number: int) -> list[str]:
    """Units that came up at no boot before the switch to ``number``."""
    entries = read_json(layout.generation(number) / "before" / ".entries.json", {})
    coming: list[str] = entries.get("coming", [])
    return coming


def recover(layout: Layout) -> tuple[int, ...]:
    """Undo a switch that was not proved; returns its two generations, nothing without one."""
    journal = read_json(layout.journal)
    if journal is None:
        return ()
    disable(_enabled_by(layout, journal["to"]))
    _restore(layout, journal["to"])
    _point_back(layout, journal["from"])
    bring_back(stopped_by(layout, journal["to"]))
    remove(layout.journal)
    return journal["from"], journal["to"]


def roll_back(layout: Layout, number: int, previous: int) -> None:
    """Undo the switch to ``number``, whether it was committed or not."""
    values = {"to": number, "from": previous}
    if read_json(layout.journal) != values:
        write_json(layout.journal, values)
    recover(layout)


def _point_back(layout: Layout, previous: int) -> None:
    target = point_current_at(layout, previous)
    if previous and layout.current.is_symlink() and str(layout.current.readlink()) == target:
        return
    if previous:
        link(layout.current, point_current_at(layout, previous))
    else:
        remove(layout.current)


def _save_before(  # noqa: PLR0913 - all that a switch may change
    layout: Layout,
    number: int,
    *,
    files: list[str],
    directories: list[WantedDirectory],
    units: list[list[str]],
    coming: list[str],
) -> None:
    tree = layout.generation(number) / "before"
    make_private(tree)
    entries = {path: _save(layout.live(path), tree / path.lstrip("/")) for path in files}
    made = {d.path: _directory_attributes(layout.live(d.path)) for d in directories}
    values = {"files": entries, "directories": made, "units": units, "coming": coming}
    write_json(tree / ".entries.json", values)


def _directory_attributes(path: Path) -> list[Any] | None:
    return list(Attributes.of(path.lstat())) if path.is_dir() else None


def _save(path: Path, copy: Path) -> Any:
    """Copy what is at ``path``; its entry says how to put it back. None: nothing was there."""
    if path.is_symlink():
        return {"symlink": str(path.readlink())}
    if not path.exists():
        return None
    if not path.is_file():
        raise OSError(f"{path} is in the way: it is neither a file nor a symlink")
    attributes = Attributes.of(path.lstat())
    write(copy, path.read_bytes(), attributes)
    return {"attributes": list(attributes)}


def _restore(layout: Layout, number: int) -> None:
    tree = layout.generation(number) / "before"
    entries = read_json(tree / ".entries.json")
    folders = {layout.live(path).parent for path in entries["files"]} | {layout.state}
    for folder in folders:
        sweep(folder)
    for path in (path for path, entry in entries["files"].items() if entry is None):
        remove(layout.live(path))  # first: it makes room for the others
    for path, attributes in entries["directories"].items():
        if attributes is not None:
            ensure_directory(layout.live(path), Attributes(*attributes))
    for path, entry in entries["files"].items():
        if entry is not None:
            _put_back(layout.live(path), tree / path.lstrip("/"), entry)
    for folder in folders:
        sweep(folder)
    _remove_made_directories(layout, entries["directories"])


def _put_back(path: Path, copy: Path, entry: dict[str, Any]) -> None:
    """Make ``path`` what it was; the copy itself takes its place where there is no room for one.

    A copy that is gone has taken its place already, in a run that was killed.
    """
    if "symlink" in entry:
        link(path, entry["symlink"])
        return
    attributes = Attributes(*entry["attributes"])
    if not copy.exists() or is_same(path, copy, attributes):
        return
    try:
        write(path, copy.read_bytes(), attributes, age=SETTLED)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        move_over(path, copy)


def is_same(path: Path, copy: Path, attributes: Attributes) -> bool:
    """True when a live file is what its copy is, mode and owner included."""
    if path.is_symlink() or not path.is_file():
        return False
    return path.read_bytes() == copy.read_bytes() and Attributes.of(path.lstat()) == attributes


def _remove_made_directories(layout: Layout, made: dict[str, Any]) -> None:
    for path in sorted((p for p, attributes in made.items() if attributes is None), reverse=True):
        Steps.before(f"remove directory {path}")
        try:
            layout.live(path).rmdir()
        except OSError:
            continue  # something else lives there by now
