"""Read a file of the fleet folder: a regular file inside it, of bounded size, in UTF-8."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from provision.spec.characters import describe, first_refused_in_source
from provision.spec.node import Document
from provision.spec.problem import Place, Problems
from provision.spec.vault import is_vault

MAX_FILE_BYTES = 16 * 1024**2
MAX_FLEET_BYTES = 256 * 1024**2


@dataclass(frozen=True)
class Source:
    """The text of one YAML file and its path below the fleet folder."""

    file: str
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> list[str]:
        """The file's lines without their ends."""
        return [line.removesuffix("\r") for line in self.text.split("\n")]

    def place_at(self, index: int) -> Place:
        """The place of the character at ``index``."""
        line = self.text.count("\n", 0, index)
        column = index - (self.text.rfind("\n", 0, index) + 1)
        return Place(self.file, line + 1, column + 1, column + 2)


class FleetFolder:
    """Reads files below one folder, and never anything outside it."""

    def __init__(self, root: Path, problems: Problems) -> None:
        self.root = root
        self._real_root = Path(os.path.realpath(root))
        self._problems = problems
        self._read = 0
        self.sources: dict[str, Source] = {}
        self.documents: dict[str, Document] = {}

    def read_yaml(self, file: str) -> Source | None:
        """The text of a YAML file; None after reporting why it cannot be used."""
        content = self.read_site(file)
        if content is None:
            return None
        if is_vault(content):
            self._problems.error(
                "encrypted", Place(file), f"{file} is encrypted; only secrets.yml is to be",
                hint=f"ansible-vault decrypt {file}",
            )  # fmt: skip
            return None
        source = decode(file, content, self._problems)
        self.sources[file] = source or Source(file, content.decode("utf-8-sig", "replace"))
        return source

    def read_site(self, file: str) -> bytes | None:
        """The bytes of a site file; None after reporting why they cannot be used."""
        return self.read_bytes(file, Place(file), limit=MAX_FILE_BYTES)

    def read_bytes(self, file: str, place: Place, *, limit: int) -> bytes | None:
        """The bytes of a file; problems are reported at ``place``, then the result is None."""
        try:
            return self._read_regular(file, limit)
        except FileNotFoundError:
            self._problems.error(
                "file-missing", place, f"there is no file {file}",
                hint="paths count from the fleet folder; -i names that folder",
            )  # fmt: skip
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._problems.error(
                "file-unreadable", place, f"cannot use {file}: {reason}",
                hint="a fleet is made of ordinary files in its own folder",
            )  # fmt: skip
        return None

    def _read_regular(self, file: str, limit: int) -> bytes:
        path = Path(os.path.realpath(self.root / file, strict=True))
        if not path.is_relative_to(self._real_root):
            raise ValueError("it is a link that leads out of the fleet folder")
        # O_NONBLOCK: a FIFO must not hang the program before its type is known.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("it is not a regular file")
            content = opened.read(limit + 1)
        if len(content) > limit:
            raise ValueError(f"it is larger than the limit of {limit // 1024} KiB")
        self._read += len(content)
        if self._read > MAX_FLEET_BYTES:
            raise ValueError(
                f"the fleet folder is larger than the limit of {MAX_FLEET_BYTES // 1024**2} MiB"
            )
        return content


def decode(file: str, content: bytes, problems: Problems) -> Source | None:
    """UTF-8 bytes to a source without refused characters; None after reporting them."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.error(
            "encoding", Place(file, 1, 1, 2), "the file is in UTF-16", hint="save it as UTF-8"
        )
        return None
    try:
        source = Source(file, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        problems.error(
            "encoding",
            Place(file, line, column, column + 1),
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            hint="save the file as UTF-8",
        )
        return None
    refused = first_refused_in_source(source.text)
    if refused:
        problems.error(
            "character",
            source.place_at(refused.start()),
            f"the file holds {describe(refused[0])}, which cannot be seen",
            hint="delete the character; nothing in a spec needs it",
        )
        return None
    return source
