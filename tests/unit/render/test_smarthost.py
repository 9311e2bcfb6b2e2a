"""A smarthost's login arrives as it was written, or is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.model.address import Domain
from provision.model.fleet import Smarthost, TlsPolicy
from provision.model.secret import Secret
from provision.render.smarthost import credentials, nexthop, transport

ISP = Smarthost("isp", Domain("smtp.isp.example"), 587, TlsPolicy.VERIFY, "user", Secret("pass"))


def read_texthash(content: bytes) -> tuple[str, str]:
    """Key and value of a table's only line, by the rules of postmap(1), "TABLE FILE FORMAT"."""
    (line,) = content.decode().removesuffix("\n").split("\n")
    assert not line.startswith("#")
    key, value = line.split(None, 1)
    return key, value.rstrip()


@given(username=st.text(min_size=1), password=st.text(min_size=1))
def test_login_is_read_back_exactly_or_refused(username: str, password: str) -> None:
    smarthost = replace(ISP, username=username, password=Secret(password))
    try:
        content = credentials(smarthost)
    except ValueError:
        return
    key, value = read_texthash(content)
    assert key == "[smtp.isp.example]:587"
    assert value.split(":", 1) == [username, password]


@pytest.mark.parametrize("password", ["a:b", "a b", "$x${y}", "#no comment", "{{ 7*7 }}", "p'\"\\"])
def test_special_characters_of_a_password_survive(password: str) -> None:
    content = credentials(replace(ISP, password=Secret(password)))
    assert content == f"[smtp.isp.example]:587 user:{password}\n".encode()


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("us:er", "x"),
        ("", "x"),
        ("user", ""),
        ("user", "x "),
        (" user", "x"),
        ("user", "x\n[a]:25 b:c"),
        ("us\ner", "x"),
        ("user", "x\0"),
        ("user", "x\u2028y"),
    ],
)
def test_login_that_a_table_cannot_hold_is_refused(username: str, password: str) -> None:
    with pytest.raises(ValueError, match="of smarthost isp"):
        credentials(replace(ISP, username=username, password=Secret(password)))


@pytest.mark.parametrize("name", ["a b", "a/b", "-a", "A", "a\n", "", "$x", "é"])
def test_name_that_cannot_be_a_transport_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="transport"):
        transport(replace(ISP, name=name))


def test_next_hop_does_no_mx_look_up() -> None:
    assert nexthop(ISP) == "[smtp.isp.example]:587"
