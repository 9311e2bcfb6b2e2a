"""Documents become tables in which every address leads where the spec says, and nowhere else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.provision_account_tables import (
    InvalidAccounts,
    Tables,
    compile_tables,
    map_text,
    sieve_forward,
)
from hypothesis import given
from hypothesis import strategies as st

HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA"


def mailbox(address: str, **changes: Any) -> dict[str, Any]:
    return {
        "address": address,
        "name": "",
        "fingerprint": "hmac:00",
        "quota": 0,
        "imap": True,
        "pop3": True,
        "aliases": [],
        "forward_to": [],
        "forward_keep": True,
        **changes,
    }


def acme(**changes: Any) -> dict[str, Any]:
    return {
        "site": "acme.example",
        "domain_aliases": ["acme.test"],
        "route": "smarthost:yourisp",
        "nexthop": "[smtp.yourisp.example]:587",
        "mailboxes": [
            mailbox("anna@acme.example", aliases=["a.ask@acme.example"], quota=2048),
            mailbox("bob@acme.example", forward_to=["bob@home.example"], pop3=False),
        ],
        "aliases": [
            {"address": "info@acme.example", "targets": ["anna@acme.example", "bob@acme.example"]},
            {
                "address": "sales@acme.example",
                "targets": ["anna@acme.example", "sales@partner.example"],
            },
        ],
        "catch_all": "anna@acme.example",
        "version": 1,
        **changes,
    }


def blue(**changes: Any) -> dict[str, Any]:
    return {
        "site": "blue.example",
        "domain_aliases": [],
        "route": "none",
        "nexthop": "",
        "mailboxes": [mailbox("dora@blue.example", imap=False)],
        "aliases": [{"address": "postmaster@blue.example", "targets": ["anna@acme.example"]}],
        "catch_all": None,
        "version": 1,
        **changes,
    }


def tables(*documents: dict[str, Any]) -> Tables:
    logins = [entry["address"] for document in documents for entry in document["mailboxes"]]
    return compile_tables(documents, dict.fromkeys(logins, HASH))


def deliver(found: Tables, address: str) -> set[str]:
    """Where Postfix's virtual aliasing ends (virtual(5), without address extensions)."""
    aliases, done, todo = found.maps["aliases"], set(), [address]
    while todo:
        current = todo.pop()
        value = aliases.get(current) or aliases.get("@" + current.rpartition("@")[2])
        targets = value.split(", ") if value else [current]
        if current in targets or not value:
            done.add(current)
        todo += [target for target in targets if target != current]
    return done


@pytest.mark.parametrize(
    ("address", "ends"),
    [
        ("anna@acme.example", {"anna@acme.example"}),
        ("a.ask@acme.test", {"anna@acme.example"}),
        ("bob@acme.test", {"bob@acme.example"}),
        ("info@acme.test", {"anna@acme.example", "bob@acme.example"}),
        ("sales@acme.test", {"anna@acme.example", "sales@acme.example"}),
        ("whoever@acme.test", {"anna@acme.example"}),
        ("postmaster@blue.example", {"anna@acme.example"}),
    ],
)
def test_address_leads_where_the_spec_says(address: str, ends: set[str]) -> None:
    assert deliver(tables(acme(), blue()), address) == ends


def test_only_existing_addresses_are_accepted_without_a_catch_all() -> None:
    aliases = tables(acme(catch_all=None), blue()).maps["aliases"]
    assert not [key for key in aliases if key.startswith("@")]
    assert "whoever@acme.test" not in aliases


def test_outside_target_leaves_through_a_forwarder_of_the_alias() -> None:
    own = tables(acme()).sites["acme.example"]
    assert (
        own.sieve["sales@acme.example"] == 'require ["copy"];\nredirect "sales@partner.example";\n'
    )
    assert list(own.forwarders) == ["sales@acme.example"]
    assert "sales@acme.example" not in own.passwd


def test_catch_all_to_another_host_leaves_through_a_forwarder() -> None:
    found = tables(acme(catch_all="all@home.example"))
    assert deliver(found, "whoever@acme.test") == {"provision-catch-all@acme.example"}
    assert (
        "all@home.example" in found.sites["acme.example"].sieve["provision-catch-all@acme.example"]
    )


def test_target_on_this_host_is_no_outside_target() -> None:
    alone = tables(blue())
    assert "postmaster@blue.example" in alone.sites["blue.example"].forwarders
    together = tables(acme(), blue())
    assert not together.sites["blue.example"].forwarders


def test_forward_keeps_a_copy_or_does_not() -> None:
    keep = tables(acme()).sites["acme.example"].sieve["bob@acme.example"]
    assert 'redirect :copy "bob@home.example";' in keep
    assert ":copy" not in sieve_forward(["a@x.example"], keep=False)


def test_senders_are_the_login_its_aliases_and_the_aliases_that_reach_it() -> None:
    senders = tables(acme(), blue()).maps["senders"]
    assert senders == {
        "anna@acme.example": "anna@acme.example",
        "anna@acme.test": "anna@acme.example",
        "a.ask@acme.example": "anna@acme.example",
        "a.ask@acme.test": "anna@acme.example",
        "bob@acme.example": "bob@acme.example",
        "bob@acme.test": "bob@acme.example",
        "dora@blue.example": "dora@blue.example",
        "info@acme.example": "anna@acme.example, bob@acme.example",
        "info@acme.test": "anna@acme.example, bob@acme.example",
        "sales@acme.example": "anna@acme.example",
        "sales@acme.test": "anna@acme.example",
    }


def test_route_counts_for_every_domain_of_a_site_and_no_other() -> None:
    maps = tables(acme(), blue()).maps
    hop = "smarthost-yourisp:[smtp.yourisp.example]:587"
    assert maps["routes"] == {
        "@acme.example": hop,
        "@acme.test": hop,
        "@blue.example": "error:5.7.1 blue.example sends no mail to other hosts",
    }


def test_site_that_sends_nothing_out_redirects_nothing() -> None:
    line = tables(blue()).sites["blue.example"].passwd["dora@blue.example"]
    assert (
        line.endswith(" userdb_sieve_max_redirects=0") or "::userdb_sieve_max_redirects=0" in line
    )


def test_site_that_sends_nothing_out_still_forwards_to_neighbours_and_keeps_the_rest() -> None:
    to = ["anna@acme.example", "x@home.example"]
    forward = mailbox("dora@blue.example", forward_to=to, forward_keep=False)
    own = tables(acme(), blue(mailboxes=[forward])).sites["blue.example"]
    assert own.sieve["dora@blue.example"] == (
        'require ["copy"];\nredirect :copy "anna@acme.example";\n'
    )
    assert "userdb_sieve_max_redirects=1" in own.passwd["dora@blue.example"]


def test_login_line_has_hash_quota_and_nothing_else() -> None:
    own = tables(acme()).sites["acme.example"]
    assert own.passwd["anna@acme.example"] == (
        f"anna@acme.example:{HASH}::::::"
        "userdb_sieve_max_redirects=4 userdb_quota_storage_size=2048B"
    )
    assert own.no_pop3 == {"bob@acme.example"}
    assert tables(blue()).sites["blue.example"].no_imap == {"dora@blue.example"}


def test_alias_of_one_mailbox_knows_its_quota() -> None:
    found = tables(acme(), blue())
    line = ":::::::userdb_user=anna@acme.example userdb_quota_storage_size=2048B"
    own = found.sites["acme.example"].full
    assert own["acme.example"] == {"a.ask@acme.example": f"a.ask@acme.example{line}"}
    assert own["acme.test"]["a.ask@acme.test"] == f"a.ask@acme.test{line}"
    assert own["acme.test"]["anna@acme.test"] == f"anna@acme.test{line}"
    assert set(own["acme.test"]) == {"a.ask@acme.test", "anna@acme.test"}
    roles = found.sites["blue.example"].full["blue.example"]
    assert set(roles) == {"postmaster@blue.example"}


def _break(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    document = copy.deepcopy(acme())
    change(document)
    return document


HOSTILE = ["evil\nceo@acme.example x", "a b", "#x", "", "x\0", "a:b", "../x", "é", "a@b", "-x", "+"]


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
