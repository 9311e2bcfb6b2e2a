"""What a hostile value is: the file that holds it, and what must be said of which line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A hostile file, the line that must be named, and a part of the message."""

    name: str
    text: str
    line: int
    says: str
    file: str = "sites/evil.yml"
    hint: str = ""
