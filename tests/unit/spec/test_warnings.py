"""What is odd and not wrong is warned of, and stops no load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from provision.spec.load import Loaded, read_fleet
from tests.unit.spec.told import HOSTS, warnings

Read = Callable[..., Loaded]


def test_warnings_do_not_stop_the_load(read: Read) -> None:
    site = """\
site: раypal.example
host: mail1
outgoing: direct
domain_aliases: [shop.acme.example]
mailboxes: {a: {imap: false, pop3: false}}
catch_all: everything@elsewhere.example
"""
    fleet = HOSTS + "postmaster: anna@acme.example\ndefaults: {outgoing: direct}\n"
    assert warnings(read({"sites/b.yml": site, "fleet.yml": fleet})) == [
        "unused-secret",
        "mixed-scripts",
        "domain-inside",
        "no-login",
        "catch-all-outside",
    ]


def test_unused_smarthost_and_no_sites_are_warned_of(read: Read) -> None:
    site = "site: acme.example\nhost: mail1\noutgoing: none\nmailboxes: {anna: {password: !secret acme/anna}}\n"  # noqa: E501 - one line of YAML
    fleet = HOSTS + (
        "smarthosts: {isp: {host: s.isp.example, username: a, password: !secret isp}}\n"
    )
    assert warnings(read({"sites/acme.yml": site, "fleet.yml": fleet})) == ["unused-smarthost"]


def test_target_that_mixes_scripts_is_warned_of(read: Read) -> None:
    site = "site: b.example\nhost: mail1\naliases: {info: [anna@раypal.example]}\n"
    assert warnings(read({"sites/b.yml": site})) == ["mixed-scripts"]


def test_folder_without_site_files_is_warned_of(write_fleet: Callable[..., Path]) -> None:
    fleet = HOSTS + "postmaster: x@y.example\n"
    folder = write_fleet({"fleet.yml": fleet})
    (folder / "sites" / "acme.yml").unlink()
    assert "no-sites" in warnings(read_fleet(folder))


def test_scripts_that_belong_together_are_not_warned_of(read: Read) -> None:
    site = "site: ローマ字rome.example\nhost: mail1\n"
    assert warnings(read({"sites/b.yml": site})) == []
