"""What would break a table or lead mail astray is refused before it gets into one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.provision_account_tables import InvalidAccounts, compile_tables, map_text
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.playbooks.account_sites import acme, blue, mailbox, tables

HOSTILE = ["evil\nceo@acme.example x", "a b", "#x", "", "x\0", "a:b", "../x", "é", "a@b", "-x", "+"]


def _break(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    document = copy.deepcopy(acme())
    change(document)
    return document


@pytest.mark.parametrize("local", HOSTILE)
def test_hostile_address_gets_into_no_table(local: str) -> None:
    address = f"{local}@acme.example"

    def as_mailbox(document: dict[str, Any]) -> None:
        document["mailboxes"].append(mailbox(address))

    def as_alias(document: dict[str, Any]) -> None:
        document["aliases"].append({"address": address, "targets": ["anna@acme.example"]})

    def as_login_alias(document: dict[str, Any]) -> None:
        document["mailboxes"][0]["aliases"] = [address]

    for change in (as_mailbox, as_alias, as_login_alias):
        with pytest.raises(InvalidAccounts):
            tables(_break(change))


@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd",
        ":include:/etc/shadow",
        "|sh",
        "x",
        "@acme.example",
        'a"@x.example',
        "a@x.example\nb@y.example",
        "a@x.example, b@y.example",
        "a@x",
        "a@-x.example",
        "a@x.example\n",
    ],
)
def test_hostile_target_gets_into_no_table(target: str) -> None:
    for change in (
        {"catch_all": target},
        {"aliases": [{"address": "q@acme.example", "targets": [target]}]},
        {"mailboxes": [mailbox("q@acme.example", forward_to=[target])]},
    ):
        with pytest.raises(InvalidAccounts):
            tables(acme(**{"catch_all": None, "aliases": [], **change}))


@pytest.mark.parametrize(
    "changes",
    [
        {"route": "smarthost:a b"},
        {"route": "smarthost:"},
        {"route": "elsewhere"},
        {"nexthop": "[x.example]:25\n@blue.example smtp:[evil.example]"},
        {"nexthop": ""},
        {"site": "acme.example\n"},
        {"domain_aliases": ["acme.test x"]},
    ],
)
def test_hostile_route_or_domain_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidAccounts):
        tables(acme(**changes))


@pytest.mark.parametrize("text", ["{PLAIN}a:b", "{PLAIN}a b", "plain", "{PLAIN}", "{P}x\ny", ""])
def test_hash_that_would_break_its_line_is_refused(text: str) -> None:
    with pytest.raises(InvalidAccounts, match="hash"):
        compile_tables([blue()], {"dora@blue.example": text})


def test_mailbox_without_hash_is_refused() -> None:
    with pytest.raises(InvalidAccounts, match="no password hash"):
        compile_tables([blue()], {})


def test_one_address_has_one_owner() -> None:
    with pytest.raises(InvalidAccounts, match="claimed twice"):
        tables(acme(), blue(domain_aliases=["acme.test"]))


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.example", fullmatch=True), st.just("v"))
)
def test_map_text_reads_back_as_the_table(table: dict[str, str]) -> None:
    lines = map_text(table).splitlines()
    assert dict(line.split(" ", 1) for line in lines) == table


@given(st.text(max_size=12))
def test_no_local_part_makes_a_second_line_or_key(local: str) -> None:
    address = f"{local}@acme.example"
    try:
        found = tables(acme(mailboxes=[mailbox(address)], aliases=[], catch_all=None))
    except InvalidAccounts:
        return
    assert set(found.maps["mailboxes"]) == {address}
    for table in found.maps.values():
        for line in map_text(table).splitlines():
            assert line.isascii()
            assert line.isprintable()
            assert line[0] not in "# \t"
