"""Documents become tables in which every address leads where the spec says, and nowhere else."""

from __future__ import annotations

import pytest
from ansible.module_utils.provision_account_tables import Tables, sieve_forward

from tests.unit.playbooks.account_sites import HASH, acme, blue, mailbox, tables


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
