"""A site file keeps everything that nobody asked to change."""

from __future__ import annotations

import difflib

import pytest

from provision.errors import Refused
from provision.spec.rewrite import Wish, read_site, rewrite

SITE = """\
# Sends through the ISP's smarthost.
site: acme.example
host: mail1
domain_aliases: [acme.test]         # further domains with the same addresses
webmail: {name: Acme Mail, logo: assets/acme.svg, color: "#0a5"}
mailboxes:
  anna: {name: Anna Ask, password: !secret acme/anna, aliases: [a.ask]}   # the boss

  Bob:
    name: 'Bob Burr'
    quota: 5G   # large
    forward: {to: [bob@home.example], keep_copy: true}
  carla:
aliases:
  info:
    - anna
    - bob
"""


def _changed(*wishes: Wish) -> list[str]:
    lines = difflib.ndiff(SITE.splitlines(), rewrite(SITE, wishes).splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_nothing_asked_nothing_changed() -> None:
    assert rewrite(SITE, ()) == SITE


def test_one_value_changes_one_line_and_keeps_its_comment() -> None:
    assert _changed(Wish(("mailboxes", "bob", "quota"), "6G")) == [
        "-     quota: 5G   # large",
        "+     quota: 6G   # large",
    ]


def test_hash_takes_the_place_of_a_password() -> None:
    base = ("mailboxes", "anna")
    changed = _changed(
        Wish((*base, "password_hash"), "{ARGON2ID}$x"), Wish((*base, "password"), None)
    )
    assert changed[1].startswith("+   anna: {name: Anna Ask, aliases: [a.ask], password_hash: ")
    assert "'{ARGON2ID}$x'" in changed[1]
    assert changed[1].endswith("# the boss")
    assert len(changed) == 2


def test_mailbox_is_added_and_one_without_values_gets_some() -> None:
    assert _changed(Wish(("mailboxes", "nora"), {"quota": "1G"})) == [
        "+   nora:",
        "+     quota: 1G",
    ]
    assert _changed(Wish(("mailboxes", "carla", "quota"), "1G")) == ["+     quota: 1G"]


def test_folder_that_is_missing_is_made_and_a_missing_key_stays_away() -> None:
    text = "site: a.example\nhost: mail1\n"
    written = rewrite(text, [Wish(("mailboxes", "nora", "quota"), "1G")])
    assert written == f"{text}mailboxes:\n  nora:\n    quota: 1G\n"
    assert rewrite(text, [Wish(("mailboxes", "nora", "quota"), None)]) == text


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(Refused, match="aliases is no mapping"):
        rewrite("aliases: [a]\n", [Wish(("aliases", "info"), ["anna"])])


@pytest.mark.parametrize("written", ["acme.example", '"acme.example"', "acme.example  # ours"])
def test_site_is_read_from_its_line(written: str) -> None:
    assert read_site(f"# site: no\nsite: {written}\n") == "acme.example"
