"""What the controller asks of this host: the desired files and what the plan was made from."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

from .provision_durable import Attributes


class WantedFile(NamedTuple):
    """A file that the generation has."""

    path: str
    sha256: str
    attributes: Attributes
    secret: bool
    activations: list[list[Any]]

    def record(self) -> dict[str, Any]:
        """The manifest's entry for it."""
        return {
            "sha256": self.sha256,
            "mode": self.attributes.mode,
            "owner": self.attributes.owner,
            "group": self.attributes.group,
            "secret": self.secret,
            "activations": self.activations,
        }

    @classmethod
    def of_record(cls, path: str, entry: dict[str, Any]) -> WantedFile:
        """Read a manifest's entry."""
        attributes = Attributes(entry["mode"], entry["owner"], entry["group"])
        return cls(path, entry["sha256"], attributes, entry["secret"], entry["activations"])


class WantedDirectory(NamedTuple):
    """A directory that the generation needs."""

    path: str
    attributes: Attributes
    ours: bool
    """True: a file in it that no generation wrote is foreign."""

    def record(self) -> list[Any]:
        """The manifest's entry for it."""
        return [*self.attributes, self.ours]

    @classmethod
    def of_record(cls, path: str, entry: list[Any]) -> WantedDirectory:
        """Read a manifest's entry."""
        mode, owner, group, ours = entry
        return cls(path, Attributes(mode, owner, group), ours)


class Request(NamedTuple):
    """Everything that one apply brings to a host."""

    expected_generation: int
    observed: dict[str, str | None] | None
    """Path to the digest that the plan saw; None: packages change first, so it will differ."""
    files: list[WantedFile]
    directories: list[WantedDirectory]
    units: list[str]
    packages: list[str]
    unit_actions: list[list[str]]
    accounts: dict[str, Any]
    meta: dict[str, Any]
    """``holder`` (who, since, commit), ``plan`` (its digest); ``rollback_of`` of a rollback."""
    blobs: dict[str, bytes]
    users: dict[str, Any]
    """System users by name: their home and supplementary groups."""
    fleet: str
    """Name of the fleet that this host belongs to."""
    leaving: dict[str, list[str]]
    """``packages`` and ``users`` that left the spec, to be removed when all else is done."""
    confirm_seconds: int = 0
    """More than 0: it touches access, and goes back unless it is confirmed within so long."""
    joining: dict[str, list[str]] = {}  # noqa: RUF012 - nobody writes into it
    """Users who have just joined groups of power, and which: they leave them when it goes back."""

    def manifest(self) -> dict[str, Any]:
        """What this generation consists of, without its number."""
        return {
            "files": {file.path: file.record() for file in self.files},
            "directories": {d.path: d.record() for d in self.directories},
            "units": self.units,
            "packages": self.packages,
            "users": dict(self.users),
            "fleet": self.fleet,
        }


def read_request(archive: Path) -> Request:
    """Read the archive that the controller sent: request.json and blobs/SHA256."""
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes()), mode="r:gz") as members:
        contents = {
            member.name: content.read()
            for member in members.getmembers()
            if (content := members.extractfile(member)) is not None
        }
    values = json.loads(contents.pop("request.json"))
    values["files"] = files_of(values)
    values["directories"] = directories_of(values)
    blobs = {name.removeprefix("blobs/"): content for name, content in contents.items()}
    return Request(**values, blobs=blobs)


def files_of(manifest: dict[str, Any]) -> list[WantedFile]:
    """The files of a manifest or a request, by path."""
    return [WantedFile.of_record(*item) for item in sorted(manifest["files"].items())]


def directories_of(manifest: dict[str, Any]) -> list[WantedDirectory]:
    """The directories of a manifest or a request, by path."""
    return [WantedDirectory.of_record(*item) for item in sorted(manifest["directories"].items())]
