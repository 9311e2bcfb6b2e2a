"""Domains, local parts and addresses are valid once parsed, whatever was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.model.address import Address, Domain, LocalPart

ANY_TEXT = st.text(max_size=80)
MAP_SYNTAX = set(' \t\r\n\0#,:;"\\|<>()[]$`/{}@')


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        ("acme.example", "acme.example"),
        ("ACME.Example.", "acme.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_domain_is_normalised(written: str, parsed: str) -> None:
    assert str(Domain.parse(written)) == parsed


@pytest.mark.parametrize(
    "written",
    ["", ".", "localhost", "a..b", "-a.example", "a-.example", "a_b.example", "a b.example"]
    + [
        "127.0.0.1",
        "acme.example\n",
        "acme.example..",
        "a" * 64 + ".example",
        "bücher.example",
        "\u212aelvin.example",
    ]
    + [
        ".".join(["a" * 49] * 6),
        "*.example",
        "$(id).example",
        "-oProxyCommand=x.example",
    ],
)
def test_domain_refuses(written: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Domain.parse(written)


def test_domain_knows_what_lies_within() -> None:
    acme = Domain.parse("acme.example")
    assert acme.is_within(acme)
    assert Domain.parse("mail.acme.example").is_within(acme)
    assert not Domain.parse("notacme.example").is_within(acme)


@pytest.mark.parametrize("written", ["anna", "A.Ask", "no", "a_b-c", "0", "x" * 64])
def test_local_part_accepts(written: str) -> None:
    assert str(LocalPart.parse(written)) == written.lower()


@pytest.mark.parametrize(
    "written",
    [
        "",
        "a..b",
        ".a",
        "a.",
        "x" * 65,
        "john smith",
        "\u212aelvin",
        "#boss",
        "café",
        "a+b",
        "-a",
        "a:b",
        "..",
        "a/b",
    ]
    + ["anna\n", "a\u200bb", "\u202eanna", "ｉｎｆｏ", "a|b", "a$b", "{{x}}"],
)
def test_local_part_refuses(written: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        LocalPart.parse(written)


@pytest.mark.parametrize(
    "written",
    ["/etc/passwd", ":include:/etc/shadow", "|id", '"a b"@x.example', "a@[127.0.0.1]", "@x.example"]
    + ["a@b@c.example", "a@x.example b@y.example", "a@x.example,b@y.example", "-f@x.example"],
)
def test_address_refuses_what_means_more_than_an_address(written: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Address.parse(written)


def test_address_keeps_the_case_of_a_foreign_local_part() -> None:
    assert str(Address.parse("Bob+News@HOME.example")) == "Bob+News@home.example"


@given(ANY_TEXT)
def test_whatever_parses_as_a_local_part_is_plain_data(text: str) -> None:
    try:
        parsed = LocalPart.parse(text)
    except ValueError:
        return
    assert not MAP_SYNTAX & set(parsed.text)
    assert LocalPart.parse(parsed.text) == parsed
    assert parsed.text.isascii()
    assert parsed.text not in {".", ".."}


@given(st.one_of(ANY_TEXT, st.builds("{}@{}.{}".format, ANY_TEXT, ANY_TEXT, ANY_TEXT)))
def test_whatever_parses_as_an_address_is_plain_data(text: str) -> None:
    try:
        parsed = Address.parse(text)
    except ValueError:
        return
    assert not (MAP_SYNTAX - {"@"}) & set(str(parsed))
    assert str(parsed).count("@") == 1
    assert Address.parse(str(parsed)) == parsed
