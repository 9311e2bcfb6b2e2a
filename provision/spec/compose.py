"""Compose YAML events into nodes: one document, bounded, without tags, merges or double keys.

The events come from libyaml through PyYAML, whose parser keeps its own stack; nothing here recurses
over the nesting of a file either, so that no input can exhaust the interpreter.
"""

from __future__ import annotations

from typing import Any, Never

import yaml
from yaml._yaml import CParser

from provision.spec.characters import describe, first_unseen, shown
from provision.spec.node import Document, Node, SecretRef
from provision.spec.problem import Note, Place, Problem, Problems
from provision.spec.scalars import resolve_key, resolve_plain
from provision.spec.source import Source
from provision.spec.syntax import syntax_problem

MAX_DEPTH = 24
MAX_TEXT = 4096
MAX_ALIASED = 10_000
"""How many values the aliases of one file may stand for together."""


class _StopError(Exception):
    """The rest of the file cannot be composed; the reason is reported."""


class _Frame:
    """A collection that is still open; ``key`` is the mapping key that waits for its value."""

    __slots__ = ("anchor", "key", "node", "skip")

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: Node | None = None
        self.skip = False


def compose(source: Source, problems: Problems, *, is_secret: bool = False) -> Document | None:
    """The document of a file, or None after reporting why there is none.

    ``is_secret``: its texts may be long and hold line breaks, as keys in PEM do; what a secret may
    hold is then decided where it is used.
    """
    composer = _Composer(source, problems, is_secret=is_secret)
    try:
        root = composer.run()
    except _StopError:
        return None
    except yaml.MarkedYAMLError as error:
        problems.add(syntax_problem(source.file, error))
        return None
    return Document(source.file, root)


class _Composer:
    def __init__(self, source: Source, problems: Problems, *, is_secret: bool) -> None:
        self._source = source
        self._is_secret = is_secret
        self._problems = problems
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node | None] = {}
        self._aliased = 0
        self._root: Node | None = None

    def run(self) -> Node:
        parser = CParser(self._source.text)
        while True:
            event: Any = parser.get_event()
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._document(event)
            elif isinstance(event, yaml.StreamEndEvent):
                return self._finished()

    def _document(self, event: Any) -> None:
        if self._root is not None:
            self._stop(
                "documents", event, "a second document starts here",
                hint="one file holds one document; delete the '---' or split the file",
            )  # fmt: skip
        if event.version or event.tags:
            self._stop("directive", event, "directives (%YAML, %TAG) are not used in a spec",
                hint="delete the line",
            )  # fmt: skip

    def _finished(self) -> Node:
        if self._root is None or self._root.data is None:
            place = Place(self._source.file, 1, 1, 2)
            self._problems.error(
                "empty-file", place, "the file is empty",
                hint="an empty file never means 'delete everything': delete the file itself to"
                " remove what it asked for",
            )  # fmt: skip
            raise _StopError
        return self._root

    def _scalar(self, event: Any) -> None:
        node = Node(None, line=event.start_mark.line, column=event.start_mark.column)
        node.end_line, node.end_column = event.end_mark.line, event.end_mark.column
        if not self._is_secret:
            self._check_text(event, node)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and isinstance(frame.node.children, dict):
            self._key(frame, node, event)
            return
        node.data = self._value(event)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._attach(node)

    def _check_text(self, event: Any, node: Node) -> None:
        text: str = event.value
        unseen = first_unseen(text)
        if unseen is not None:
            what = "a line break" if unseen in "\r\n" else describe(unseen)
            self._problems.error(
                "character", self._place(node), f"the text holds {what}",
                hint="texts of a spec are one line of characters that can be seen",
            )  # fmt: skip
        if len(text) > MAX_TEXT:
            self._problems.error(
                "too-long", self._place(node),
                f"the text has {len(text)} characters; the limit is {MAX_TEXT}",
                hint="no key of a spec takes a text as long as this",
            )  # fmt: skip

    def _value(self, event: Any) -> Any:
        tag = event.tag
        if tag is None:
            return resolve_plain(event.value) if event.implicit[0] else event.value
        if tag == "!secret":
            return SecretRef(event.value)
        self._refuse_tag(event)
        return event.value

    def _refuse_tag(self, event: Any) -> None:
        self._problems.error(
            "tag", self._event_place(event), "a tag like this is not used in a spec",
            hint="the one tag is !secret NAME; write other text in quotes",
        )  # fmt: skip

    def _key(self, frame: _Frame, node: Node, event: Any) -> None:
        plain = event.tag is None and event.implicit[0]
        text = resolve_key(event.value) if plain else event.value
        node.data = event.value if text is None else text
        if event.tag is not None:
            self._refuse_tag(event)
        if plain and event.value == "<<":
            self._problems.error(
                "merge-key", self._place(node), "merge keys (<<) are not used in a spec",
                hint="write the values out, or put them under defaults in fleet.yml",
            )  # fmt: skip
            frame.skip = True
        elif text is None:
            self._problems.error(
                "ambiguous-key", self._place(node),
                f"YAML does not read the key {shown(event.value)} as text",
                hint="put the key in quotes",
            )  # fmt: skip
        first = frame.node.keys.get(node.data)
        if first is not None:
            self._duplicate(node, first)
            frame.skip = True
        frame.key = node

    def _duplicate(self, node: Node, first: Node) -> None:
        place = self._place(first)
        self._problems.add(
            Problem(
                "duplicate-key",
                self._place(node),
                f"the key {shown(node.data)} is given twice, first in line {place.line}",
                hint="keep one of the two",
                notes=(Note(place, "first given here"),),
            )
        )

    def _open(self, event: Any) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._stop("depth", event, f"the nesting is deeper than the limit of {MAX_DEPTH}",
                hint="nothing in a spec is nested this deep; is a bracket not closed?",
            )  # fmt: skip
        mapping = isinstance(event, yaml.MappingStartEvent)
        node = Node(
            {} if mapping else [], line=event.start_mark.line, column=event.start_mark.column
        )
        node.children = {} if mapping else []
        if event.tag is not None:
            self._refuse_tag(event)
        if event.anchor:
            self._anchors[event.anchor] = None
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and isinstance(frame.node.children, dict):
            self._stop(
                "complex-key", event, "a key is plain text, not a list or mapping",
                hint="text with braces or brackets needs quotes",
            )  # fmt: skip
        self._stack.append(_Frame(node, event.anchor))

    def _close(self, event: Any) -> None:
        frame = self._stack.pop()
        node = frame.node
        node.end_line, node.end_column = event.end_mark.line, event.end_mark.column
        if frame.anchor:
            self._anchors[frame.anchor] = node
        self._attach(node)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            self._stop("alias", event, "there is no anchor of this name above",
                hint="text that starts with * needs quotes",
            )  # fmt: skip
        node = self._anchors[event.anchor]
        if node is None:
            self._stop("alias", event, "the alias stands inside of what it stands for",
                hint="write the values out",
            )  # fmt: skip
        self._aliased += node.weight
        if self._aliased > MAX_ALIASED:
            self._stop(
                "alias", event, f"aliases stand for more than {MAX_ALIASED} values in this file",
                hint="write the values out",
            )  # fmt: skip
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and isinstance(frame.node.children, dict):
            self._stop(
                "complex-key", event, "a key is plain text, not an alias", hint="put it in quotes"
            )
        self._attach(node)

    def _attach(self, node: Node) -> None:
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        parent = frame.node
        parent.weight += node.weight
        if isinstance(parent.children, list):
            parent.children.append(node)
            parent.data.append(node.data)
        elif parent.children is not None and frame.key is not None:
            if frame.skip:
                parent.refused += ((frame.key.data, node),)
            else:
                parent.keys[frame.key.data] = frame.key
                parent.children[frame.key.data] = node
                parent.data[frame.key.data] = node.data
            frame.key, frame.skip = None, False

    def _stop(self, code: str, event: Any, message: str, *, hint: str) -> Never:
        self._problems.error(code, self._event_place(event), message, hint=hint)
        raise _StopError

    def _place(self, node: Node) -> Place:
        return Document(self._source.file, node).place()

    def _event_place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self._source.file, mark.line + 1, mark.column + 1, mark.column + 2)
