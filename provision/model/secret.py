"""Text that must never be shown."""

from __future__ import annotations

from dataclasses import dataclass, field

MASK = "(secret)"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret text. ``str``, ``repr`` and ``format`` mask it; ``reveal`` is the only way out."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """The text itself; call it only where bytes for a host or a login are made."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)
