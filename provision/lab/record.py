"""What a lab writes down about itself, so that it can be handled without reading the fleet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from provision.lab.estate import Machine


@dataclass(frozen=True, slots=True)
class LabRecord:
    """FOLDER/lab.json: whose lab it is, its machines, and where its webmail answers here."""

    fleet_dir: str
    machines: tuple[Machine, ...]

    @classmethod
    def load(cls, folder: Path) -> LabRecord | None:
        """The record in ``folder``; None when no lab has been up there."""
        try:
            fields = json.loads((folder / "lab.json").read_text())
        except FileNotFoundError:
            return None
        return cls(fields["fleet_dir"], tuple(Machine(**m) for m in fields["machines"]))

    def save(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        scratch = folder / "lab.json.new"
        scratch.write_text(json.dumps(asdict(self), indent=1))
        scratch.rename(folder / "lab.json")


def loopback_urls(folder: Path) -> Mapping[str, str]:
    """Name of each webmail to the URL that leads to it from this machine."""
    try:
        ports = json.loads((folder / "ports.json").read_text())
    except FileNotFoundError:
        return {}
    return {name: f"http://127.0.0.1:{port}/" for name, port in ports.items()}


def all_labs(state: Path) -> Sequence[tuple[str, LabRecord]]:
    """Name and record of every lab on this machine, sorted by name."""
    found = ((folder.name, LabRecord.load(folder)) for folder in sorted(state.glob("*/")))
    return [(name, record) for name, record in found if record is not None]
