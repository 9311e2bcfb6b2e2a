"""Where a session goes: no more of a host than its name and address."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A host as SSH sees it."""

    name: str
    address: str
    port: int
    user: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address} port {self.port})"
