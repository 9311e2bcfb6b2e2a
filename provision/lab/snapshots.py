"""Snapshots of a machine that is switched off: its writes become a layer, and nothing is copied."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from provision.errors import ProvisionError
from provision.lab.cache import cache_dir
from provision.lab.disk import Disk, empty_upper
from provision.lab.programs import run

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")


def take_snapshot(folder: Path, name: str, *, shared: bool = False) -> None:
    """Name the present state of the disk in ``folder``; a snapshot of the same name is replaced.

    ``shared`` puts it into the cache, where every lab's machines on the same image find it.
    """
    if not _NAME.fullmatch(name):
        raise ProvisionError(f"{name!r} is no name for a snapshot: a-z, 0-9, '.', '_', '-'")
    disk = Disk.load(folder)
    if shared:
        _require_shareable(disk)
    shelf = _shared_shelf(disk) if shared else folder / "snapshots"
    layers = shelf / "layers"
    layers.mkdir(parents=True, exist_ok=True)
    layer = _free_name(layers)
    run(["mv", folder / "upper", layer])  # mv(1) keeps overlay's attributes across file systems
    disk = disk.with_layer(layer)
    empty_upper(folder)
    disk.save(folder)
    scratch = shelf / f"{name}.new"
    scratch.write_text(json.dumps(disk.layers))
    scratch.rename(shelf / f"{name}.json")


def has_snapshot(folder: Path, name: str) -> bool:
    """True when ``go_back`` would find the snapshot."""
    return _find(folder, name) is not None


def go_back(folder: Path, name: str) -> None:
    """Make the disk what it was at the snapshot; raises ProvisionError when there is none."""
    noted = _find(folder, name)
    if noted is None:
        raise ProvisionError(
            f"{folder.name} has no snapshot {name!r}; it has: {', '.join(names(folder)) or 'none'}"
        )
    layers = tuple(json.loads(noted.read_text()))
    empty_upper(folder)
    replace(Disk.load(folder), layers=layers).save(folder)


def names(folder: Path) -> list[str]:
    """Names of the machine's own snapshots, sorted."""
    return sorted(path.stem for path in (folder / "snapshots").glob("*.json"))


def _find(folder: Path, name: str) -> Path | None:
    for shelf in (folder / "snapshots", _shared_shelf(Disk.load(folder))):
        if (shelf / f"{name}.json").exists():
            return shelf / f"{name}.json"
    return None


def _shared_shelf(disk: Disk) -> Path:
    """Snapshots fit one image only, so each image has a shelf; layers[0] is IMAGE/tree."""
    return cache_dir() / "snapshots" / Path(disk.layers[0]).parent.name


def _require_shareable(disk: Disk) -> None:
    if any(not Path(layer).is_relative_to(cache_dir()) for layer in disk.layers):
        raise ProvisionError(
            f"{disk.name} stands on snapshots of its own lab and cannot be shared",
            hint="take the shared snapshot first, on a machine that has no others",
        )


def _free_name(layers: Path) -> Path:
    number = 1
    while (layers / str(number)).exists():
        number += 1
    return layers / str(number)
