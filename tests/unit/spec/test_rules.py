"""Rules between objects: owners, references, postmasters, and what is said of all files at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provision.spec.load import Loaded
from provision.spec.problem import spec_invalid
from tests.unit.spec.told import HOSTS, errors

Read = Callable[..., Loaded]


def test_domain_has_one_owner_and_both_lines_are_named(read: Read) -> None:
    loaded = read({"sites/b.yml": "site: b.example\nhost: mail1\ndomain_aliases: [acme.example]\n"})
    (problem,) = loaded.problems
    assert problem.message == "the domain acme.example has an owner already, in sites/acme.yml:1:7"
    assert (str(problem.place), str(problem.notes[0].place)) == (
        "sites/b.yml:3:18",
        "sites/acme.yml:1:7",
    )


def test_address_has_one_owner_and_both_lines_are_named(read: Read) -> None:
    site = """\
site: b.example
host: mail1
mailboxes:
  anna: {aliases: [a.ask, info]}
  Anna:
  bob: {aliases: [a.ask]}
aliases:
  info: [anna]
"""
    assert errors(read({"sites/b.yml": site})) == [
        "sites/b.yml:5 the address anna@b.example has an owner already, in sites/b.yml:4:3",
        "sites/b.yml:6 the address a.ask@b.example has an owner already, in sites/b.yml:4:20",
        "sites/b.yml:8 the address info@b.example has an owner already, in sites/b.yml:4:27",
    ]


def test_references_name_what_is_near(read: Read) -> None:
    site = "site: b.example\nhost: mail2\noutgoing: ips\nmailboxes: {bob: }\naliases: {x: [bop]}\n"
    loaded = read({"sites/b.yml": site})
    assert errors(loaded) == [
        "sites/b.yml:2 there is no host 'mail2'",
        "sites/b.yml:3 there is no smarthost 'ips'",
        "sites/b.yml:5 there is no mailbox or alias bop@b.example",
    ]
    assert [problem.hint for problem in loaded.problems] == [
        "did you mean mail1?",
        "did you mean isp?",
        "did you mean bob?",
    ]


def test_removed_mailbox_is_missed_where_it_is_named(read: Read) -> None:
    site = "site: b.example\nhost: mail1\ncatch_all: gone@acme.example\n"
    fleet = HOSTS + "postmaster: left@acme.example\ndefaults: {outgoing: direct}\n"
    assert errors(read({"sites/b.yml": site, "fleet.yml": fleet})) == [
        "fleet.yml:4 there is no mailbox or alias left@acme.example",
        "sites/b.yml:3 there is no mailbox or alias gone@acme.example",
    ]


def test_address_of_a_site_file_that_cannot_be_read_is_not_missed(read: Read) -> None:
    site = "site: b.example\nhost: mail1\naliases: {x: [bob@c.example]}\n"
    assert errors(read({"sites/b.yml": site, "sites/c.yml": "site: c.example\n"})) == [
        "sites/c.yml:1 the key 'host' is missing"
    ]


def test_every_file_reports_at_once(read: Read) -> None:
    loaded = read(
        {
            "fleet.yml": "fleet: Test\nhosts: {}\n",
            "sites/b.yml": "site: b\nhots: mail1\n",
            "sites/c.yml": "a: [\n",
            "secrets.yml": "plain: text\n",
        }
    )
    files = {problem.place.file for problem in loaded.problems}
    assert files == {"fleet.yml", "sites/b.yml", "sites/c.yml", "secrets.yml"}


def test_hosts_are_different_machines(read: Read) -> None:
    fleet = HOSTS + (
        "  mail2: {address: 192.0.2.10, fqdn: MAIL1.host.example, release: debian13}\n"
        "  mail3: {address: 192.0.2.10, fqdn: mail3.host.example, release: debian13,"
        " ssh: {port: 2222}}\n"
        "postmaster: anna@acme.example\ndefaults: {outgoing: direct}\n"
    )
    assert errors(read({"fleet.yml": fleet})) == [
        "fleet.yml:4 the hosts mail1 and mail2 have the same address",
        "fleet.yml:4 the hosts mail1 and mail2 have the same fqdn",
    ]


@pytest.mark.parametrize("name", ["Mail1", "1mail", "a" * 33, "-x", "a_b", "all", "direct", "ä"])
def test_name_of_a_host_is_safe(name: str, read: Read) -> None:
    fleet = (
        f"fleet: test\nhosts:\n  {name}: {{address: 192.0.2.10, fqdn: m.host.example,"
        " release: debian13}\ndefaults: {outgoing: direct}\n"
    )
    loaded = read({"fleet.yml": fleet, "sites/acme.yml": f"site: acme.example\nhost: '{name}'\n"})
    assert [(p.place.file, p.place.line) for p in loaded.problems if p.code == "value"] == [
        ("fleet.yml", 3)
    ]


def test_release_that_is_not_known_is_refused_kindly(read: Read) -> None:
    (problem,) = read({"fleet.yml": HOSTS.replace("debian13", "debian12")}).problems
    assert problem.message == "the release 'debian12' is not supported yet"
    assert problem.hint == "it can be 'debian13'"


@pytest.mark.parametrize(
    ("site", "postmaster"),
    [
        ("mailboxes: {a: , b: }\n", "anna@acme.example"),
        ("mailboxes: {a: , postmaster: }\n", None),
        ("mailboxes: {a: {aliases: [postmaster]}}\n", None),
        ("mailboxes: {a: }\naliases: {postmaster: [a]}\n", "a@b.example"),
    ],
)
def test_postmaster_is_always_there(site: str, postmaster: str | None, read: Read) -> None:
    fleet = read({"sites/b.yml": f"site: b.example\nhost: mail1\n{site}"}).fleet
    assert fleet is not None
    aliases = {alias.local.text: str(alias.targets[0]) for alias in fleet.sites[1].aliases}
    assert aliases.get("postmaster") == postmaster
    assert aliases["abuse"] == "anna@acme.example"


def test_postmaster_without_one_for_the_fleet_is_the_catch_all_or_the_first_mailbox(
    read: Read,
) -> None:
    files = {
        "fleet.yml": HOSTS + "defaults: {outgoing: direct}\n",
        "sites/b.yml": "site: b.example\nhost: mail1\nmailboxes: {z: , a: }\ncatch_all: a\n",
        "sites/c.yml": "site: c.example\nhost: mail1\nmailboxes: {z: , a: }\n",
    }
    fleet = read(files).fleet
    assert fleet is not None
    assert [str(site.aliases[1].targets[0]) for site in fleet.sites[1:]] == [
        "a@b.example",
        "z@c.example",
    ]
    files["sites/d.yml"] = "site: d.example\nhost: mail1\n"
    assert errors(read(files)) == [
        "sites/d.yml:1 nobody would receive mail for abuse and postmaster at d.example"
    ]


def test_fleet_postmaster_that_is_a_sites_own_postmaster_falls_to_its_mailbox(read: Read) -> None:
    fleet = read(
        {"fleet.yml": HOSTS + "postmaster: postmaster@acme.example\ndefaults: {outgoing: none}\n"}
    ).fleet
    assert fleet is not None
    assert [f"{a.local} {a.targets[0]}" for a in fleet.sites[0].aliases] == [
        "abuse postmaster@acme.example",
        "postmaster anna@acme.example",
    ]


def test_outgoing_must_be_said_somewhere(read: Read) -> None:
    loaded = read({"fleet.yml": HOSTS + "postmaster: anna@acme.example\n"})
    assert errors(loaded) == ["sites/acme.yml:1 nothing says how this site's mail leaves"]


def test_two_passwords_are_refused(read: Read) -> None:
    text = "{BLF-CRYPT}$2y$05$" + "a" * 53
    site = (
        "site: b.example\nhost: mail1\nmailboxes:\n"
        f"  a: {{password: !secret acme/anna, password_hash: '{text}'}}\n"
    )
    assert errors(read({"sites/b.yml": site})) == [
        "sites/b.yml:4 the mailbox has a password and a password_hash"
    ]


def test_fleet_file_that_is_wrong_causes_no_problems_elsewhere(read: Read) -> None:
    site = "site: b.example\nhost: mail7\noutgoing: none\n"
    loaded = read({"fleet.yml": HOSTS + "postmastre: x\n", "sites/b.yml": site})
    assert errors(loaded) == ["fleet.yml:4 the key 'postmastre' is not known here"]


def test_exception_lists_the_first_twenty(read: Read) -> None:
    site = "site: b.example\nhost: mail1\n" + "".join(f"k{n}: 1\n" for n in range(30))
    error = spec_invalid(read({"sites/b.yml": site}).problems)
    assert len(error.problems) == 30
    assert error.message.splitlines()[1] == "sites/b.yml:3:1: the key 'k0' is not known here"
    assert error.message.splitlines()[-1] == "... and 10 more"
