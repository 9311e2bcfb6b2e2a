"""A sequence that is made when somebody looks into it: most of a large fleet never is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

T_co = TypeVar("T_co", covariant=True)


class Later(Sequence[T_co]):
    """Stands for a tuple whose length is known and whose items are made at the first use."""

    __slots__ = ("_length", "_made", "_make")

    def __init__(self, length: int, make: Callable[[], tuple[T_co, ...]]) -> None:
        self._length, self._make = length, make
        self._made: tuple[T_co, ...] | None = None

    def _items(self) -> tuple[T_co, ...]:
        if self._made is None:
            self._made = self._make()
            if len(self._made) != self._length:
                raise ValueError("it was remembered with another length")
        return self._made

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T_co]:
        return iter(self._items())

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T_co, ...]: ...
    def __getitem__(self, index: int | slice) -> T_co | tuple[T_co, ...]:
        return self._items()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Later | tuple) and self._items() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._items())

    def __repr__(self) -> str:
        return f"Later({self._length})"
