"""Mail that would go in circles is found, and shown with every step."""

from __future__ import annotations

from collections.abc import Callable

from provision.spec.circles import find_circles, reach
from provision.spec.load import Loaded
from tests.unit.spec.told import HOSTS, errors

Read = Callable[..., Loaded]


def test_circle_is_shown_with_every_step(read: Read) -> None:
    one = "site: one.example\nhost: mail1\naliases:\n  a: [b]\n  b: [c@two.example]\n"
    two = (
        "site: two.example\nhost: mail1\nmailboxes:\n  c: {aliases: [d], forward:"
        " {to: [a+x@one.test], keep_copy: true}}\n"
    )
    one += "domain_aliases: [one.test]\n"
    (error,) = errors(read({"sites/one.yml": one, "sites/two.yml": two}))
    way = "a@one.example -> b@one.example -> c@two.example -> a@one.example"
    assert error == f"sites/one.yml:4 mail goes in circles: {way}"


def test_circle_through_an_alias_of_a_mailbox_is_found(read: Read) -> None:
    site = "site: one.example\nhost: mail1\nmailboxes:\n  c: {aliases: [d], forward: {to: [d]}}\n"
    assert errors(read({"sites/one.yml": site})) == [
        "sites/one.yml:4 mail goes in circles: c@one.example -> d@one.example -> c@one.example"
    ]


def test_circle_through_the_fleets_postmaster_is_found(read: Read) -> None:
    acme = (
        "site: acme.example\nhost: mail1\nmailboxes:\n"
        "  anna: {password: !secret acme/anna, forward: {to: [postmaster@b.example]}}\n"
    )
    other = "site: b.example\nhost: mail1\n"
    (error,) = errors(read({"sites/acme.yml": acme, "sites/b.yml": other}))
    assert "anna@acme.example -> postmaster@b.example -> anna@acme.example" in error


def test_long_chain_is_no_circle_and_exhausts_nothing(read: Read) -> None:
    chain = "\n".join(f"  a{n}: [a{n + 1}]" for n in range(5000))
    site = f"site: b.example\nhost: mail1\nmailboxes: {{a5000: }}\naliases:\n{chain}\n"
    assert errors(read({"sites/b.yml": site})) == [
        "sites/b.yml:5 mail for a0@b.example would go to more than 1000 addresses"
    ]


def test_circle_that_starts_at_an_alias_of_a_mailbox_is_found(read: Read) -> None:
    site = "site: b.example\nhost: mail1\nmailboxes:\n  z: {aliases: [a], forward: {to: [a]}}\n"
    fleet = HOSTS + "postmaster: a@b.example\ndefaults: {outgoing: none}\n"
    (error,) = errors(read({"fleet.yml": fleet, "sites/b.yml": site}))
    assert "a@b.example -> z@b.example -> a@b.example" in error


def test_circles_of_a_graph() -> None:
    assert find_circles({1: (2, 3), 2: (1,), 3: (3,)}) == [(1, 2), (3,)]
    assert find_circles({1: (2,), 2: (3,)}) == []
    assert reach({1: (2, 3), 2: (3,)}, 1, limit=10) == 2
    assert reach({1: tuple(range(100))}, 1, limit=10) == 11
