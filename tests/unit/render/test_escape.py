"""Whatever text goes through an escape function comes out as that text, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.render import escape

PRINTABLE = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f"), max_size=60)


def _read_php(literal: str) -> str:
    assert literal[0] == literal[-1] == "'"
    out, rest = [], list(literal[1:-1])
    while rest:
        character = rest.pop(0)
        assert character != "'", "the string ended early"
        if character == "\\":
            character = rest.pop(0)
            assert character in "\\'"
        out.append(character)
    return "".join(out)


@given(PRINTABLE)
def test_php_string_holds_exactly_the_text(text: str) -> None:
    assert _read_php(escape.php_string(text)) == text


@given(PRINTABLE)
def test_postfix_value_expands_to_exactly_the_text(text: str) -> None:
    escaped = escape.postfix_value(text)
    assert escaped.replace("$$", "$") == text
    assert "$" not in escaped.replace("$$", "")


@pytest.mark.parametrize("name", sorted(escape.FILTERS))
@pytest.mark.parametrize("control", ["\n", "\r", "\0", "\x1b", "\x7f"])
def test_no_filter_lets_a_control_character_through(name: str, control: str) -> None:
    with pytest.raises(ValueError, match="control"):
        escape.FILTERS[name](f"a{control}b")
