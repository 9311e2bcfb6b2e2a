"""The quick reader is exact or silent: whatever it reads means the same to the composer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.assets import demo_fleet_dir
from provision.spec.compose import compose
from provision.spec.node import SecretRef
from provision.spec.plain import read_plain
from provision.spec.problem import Problems
from provision.spec.source import decode

PLAIN = """\
---
# a comment
site: acme.example
host: "mail1"   # another
domain_aliases:
  - acme.test
  - 'acme.invalid'
mailboxes:
  anna:
    name: Anna Ask
    password_hash: "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"
    aliases: [a.ask, "a-2"]

  bob: {quota: 5G, forward: {to: [bob@home.example, x], keep_copy: false}, password: !secret a/bob}
  cleo:
  7: {}
aliases: {info: [anna, bob]}
protect: true
"""
PIECES = (
    "site: x",
    "host:",
    "a: b",
    "  a: b",
    "    c: d",
    "  - x",
    "- y",
    "a: [b, c]",
    "a: {b: c}",
    "#c",
    "a: 'it''s'",
    'a: "x"',
    'a: "\\n"',
    "a: !secret b",
    "a: !x b",
    "a: &b c",
    "a: *b",
    "? a",
    "a:b",
    "a: b: c",
    "a: b #c",
    "a: b#c",
    "a: |",
    "  text",
    "a: >-",
    "a: [",
    "]",
    "{a: b}",
    "a: []",
    "a: {}",
    "a: [b,c]",
    "a: [b, ]",
    "a: [,]",
    "a: [a b, c]",
    "a: {b}",
    "a: {b: }",
    "a: {b: c, b: d}",
    "a: ~",
    "null: a",
    "1.5: a",
    "a: 010",
    "a: 0x1F",
    "a: 1e3",
    "a: yes",
    "a: true",
    "a: 12:30",
    "<<: a",
    "--",
    "---",
    "...",
    "%YAML 1.2",
    "a : b",
    '"a": b',
    "a:  b",
    "a: b ",
    " ",
    "",
    "\ta: b",
    "a: \tb",
    "é: ü",
    "a: Jürgen Müller",
    "a: \u200bx",
    "a: \u115f",
    "a: [é]",
    "a: -",
    "a: - b",
    "a: b - c",
    "a: b, c",
    "a: [b: c]",
    "a: {b: {c: {d: e}}}",
    "a: {b: [c, {d: e}]}",
    "a: @b",
    "a: `b",
    "a: b!",
    "a: %b",
    "a: b%c",
    "a: b&c",
    "a: b*",
    "a: =",
    "a: b=",
    "a: (b)",
    "a: b;c",
    "a: /b",
    "a: .b",
    "a: +1",
    "a: b?",
    "a: [b?]",
    "a: [?b]",
    "a: [b-]",
    "a: [-b]",
    "a: [b]c",
    "a: {b: c}d",
    "a: [b] #c",
    "a: [b #c",
    "x-y: ~",
)


def _composed(text: str) -> object | None:
    problems = Problems()
    source = decode("sites/a.yml", text.encode("utf-8", "surrogatepass"), problems)
    document = compose(source, problems) if source else None
    return None if document is None or problems.has_any else document.data


def _agrees(text: str) -> None:
    read = read_plain(text)
    if read is not None and decode("a", text.encode(), Problems()) is not None:
        assert repr(read) == repr(_composed(text))  # repr: True is not 1


def test_plain_file_is_read_without_the_composer() -> None:
    read = read_plain(PLAIN)
    assert read is not None
    assert repr(read) == repr(_composed(PLAIN))
    assert read["mailboxes"]["bob"]["password"] == SecretRef("a/bob")
    assert list(read["mailboxes"]) == ["anna", "bob", "cleo", "7"]


@pytest.mark.parametrize("name", ["acme.example", "blue.example", "quiet.example"])
def test_demo_sites_are_read_as_they_are_composed(name: str) -> None:
    _agrees((demo_fleet_dir() / f"sites/{name}.yml").read_text())


@pytest.mark.parametrize("first", PIECES)
def test_each_pair_of_lines_is_read_as_it_is_composed(first: str) -> None:
    for second in PIECES:
        _agrees(f"{first}\n{second}\n")
        _agrees(f"a:\n  {first}\n  {second}\nb: c\n")


LINES = st.tuples(st.integers(0, 6), st.sampled_from(PIECES)).map(
    lambda line: " " * line[0] + line[1]
)


@settings(deadline=None, max_examples=400)
@given(lines=st.lists(LINES, max_size=8), end=st.sampled_from(["", "\n", "\n\n"]))
def test_any_lines_are_read_as_they_are_composed(lines: list[str], end: str) -> None:
    _agrees("\n".join(lines) + end)


@settings(deadline=None, max_examples=400)
@given(
    at=st.integers(0, len(PLAIN)),
    cut=st.integers(0, 12),
    put=st.text(alphabet="ab:-[]{}\"'#&*!|>,~ \n?%@`\t0x.é", max_size=4),
)
def test_damaged_file_is_read_as_it_is_composed(at: int, cut: int, put: str) -> None:
    _agrees(PLAIN[:at] + put + PLAIN[at + cut :])


def test_what_only_the_composer_knows_is_left_to_it() -> None:
    for text in (
        "a: |\n  b\n",
        "a: &x b\n",
        "a: b\na: c\n",
        "[a]\n",
        "",
        "a: b\n  c\n",
        "a:\n- b\n",
    ):
        assert read_plain(text) is None
