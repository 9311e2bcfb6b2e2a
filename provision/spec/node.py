"""A YAML document as nodes that remember where they stand, beside its plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from provision.spec.problem import Place

Path = Sequence[str | int]
"""Keys and indexes that lead from the top of a document to a value."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """``!secret NAME``: the name of a value in secrets.yml."""

    name: str


class Node:
    """One value: its data, where it stands (from 0), and its children if it has any."""

    __slots__ = (
        "children",
        "column",
        "data",
        "end_column",
        "end_line",
        "keys",
        "line",
        "refused",
        "weight",
    )

    def __init__(self, data: Any, *, line: int, column: int) -> None:
        self.data = data
        self.line = line
        self.column = column
        self.end_line = line
        self.end_column = column
        self.children: dict[str, Node] | list[Node] | None = None
        self.keys: dict[str, Node] = {}
        self.refused: tuple[tuple[str, Node], ...] = ()
        """Keys that were refused and their values: no data, but text of the file."""
        self.weight = 1
        """How many values it holds, aliases counted as if they were written out."""


class Document:
    """The nodes of one file; finds the place of a path."""

    def __init__(self, file: str, root: Node) -> None:
        self.file = file
        self.root = root

    @property
    def data(self) -> Any:
        """The document as dicts, lists, texts, numbers, truth values, None and SecretRef."""
        return self.root.data

    def place(self, *path: str | int) -> Place:
        """Where the value at ``path`` stands; the nearest parent when it is not there."""
        return self._place_of(self._find(path))

    def key_place(self, *path: str | int) -> Place:
        """Where the last key of ``path`` stands; the place of the value in a list."""
        parent = self._find(path[:-1])
        key = parent.keys.get(str(path[-1])) if path else None
        return self._place_of(key) if key else self.place(*path)

    def _find(self, path: Path) -> Node:
        node = self.root
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            node = found
        return node

    def _place_of(self, node: Node) -> Place:
        one_line = node.end_line == node.line
        end = node.end_column if one_line else node.column + 1
        return Place(self.file, node.line + 1, node.column + 1, max(end, node.column + 1) + 1)


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node.children, dict):
        return node.children.get(str(step))
    if isinstance(node.children, list) and isinstance(step, int) and step < len(node.children):
        return node.children[step]
    return None
