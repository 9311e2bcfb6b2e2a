"""A machine's disk: an overlay of layers on an image, and the identity written into it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from provision.errors import ProvisionError
from provision.lab.programs import remove_tree

_PAGE = 4096  # mount(2) takes one page of options


@dataclass(frozen=True, slots=True)
class Disk:
    """What the supervisor needs to boot a machine; kept as FOLDER/disk.json.

    ``layers`` are read-only trees, the image first, each later one on top; the machine writes into
    FOLDER/upper. ``binds`` are SOURCE:TARGET folders that it sees read-only.
    """

    name: str
    group: str
    layers: tuple[str, ...]
    binds: tuple[str, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> Disk:
        """Read FOLDER/disk.json."""
        fields = json.loads((folder / "disk.json").read_text())
        return cls(fields["name"], fields["group"], tuple(fields["layers"]), tuple(fields["binds"]))

    def save(self, folder: Path) -> None:
        """Write FOLDER/disk.json, and make the folders that the overlay writes to."""
        for part in ("upper", "work"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        scratch = folder / "disk.json.new"
        scratch.write_text(json.dumps(asdict(self), indent=1))
        scratch.rename(folder / "disk.json")

    def mount_options(self, folder: Path) -> str:
        """Options of the overlay mount; raises ProvisionError when the layers are too many."""
        lower = ":".join(reversed(self.layers))
        options = f"lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work,index=off"
        options += ",redirect_dir=on"  # else a folder of a lower layer cannot be renamed (EXDEV)
        if len(options) >= _PAGE:
            raise ProvisionError(
                f"{self.name} has {len(self.layers)} layers of snapshots, more than can be mounted",
                hint="restore an early snapshot, or start over with: provision lab down",
            )
        return options

    def with_layer(self, layer: Path) -> Disk:
        """The same disk with one more layer on top."""
        return replace(self, layers=(*self.layers, str(layer)))


def empty_upper(folder: Path) -> None:
    """Throw away what the machine has written since its last layer."""
    for part in ("upper", "work"):
        remove_tree(folder / part)
        (folder / part).mkdir()


def write_files(upper: Path, files: Mapping[str, tuple[str, int]]) -> None:
    """Put files (absolute path to text and mode) into a disk that is not mounted."""
    for path, (text, mode) in files.items():
        target = upper / path.lstrip("/")
        _make_parents(upper, target.parent)
        target.unlink(missing_ok=True)
        target.touch(mode=mode)
        target.chmod(mode)
        target.write_text(text)


def _make_parents(upper: Path, folder: Path) -> None:
    # A folder that is new in the upper layer gives its owner and mode to the merged one.
    if folder == upper or folder.exists():
        return
    _make_parents(upper, folder.parent)
    folder.mkdir(mode=0o700 if folder.name in {"root", ".ssh"} else 0o755)
