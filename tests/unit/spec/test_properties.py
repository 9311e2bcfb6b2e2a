"""Whatever a file holds, reading it ends in a fleet or in problems, never in a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provision.model.address import Address, Domain, LocalPart
from provision.spec.characters import first_unseen, visible
from provision.spec.load import Loaded
from provision.spec.problem import Severity
from provision.spec.report_github import github_report
from provision.spec.report_json import json_report
from provision.spec.report_text import text_report
from provision.spec.values import parse_address, parse_local_part, parse_target

Read = Callable[..., Loaded]
WORDS = """\
site host domain_aliases outgoing webmail name logo color mailboxes anna password password_hash
quota imap pop3 aliases forward to keep_copy catch_all certificate chain key fleet hosts address
fqdn release ssh user port smarthosts tls username postmaster defaults mailbox x-note bulk nö
"""
KEYS = st.sampled_from(WORDS.split())
SCALARS = st.one_of(
    st.sampled_from(
        ["acme.example", "mail1", "none", "2G", "true", "no", "~", "", "010", "0x1F", "1e3", "#0a5",
         "anna", "anna@acme.example", "!secret acme/anna", "!secret x", "!x y", "&a b", "*a", "<<",
         "'", '"', "|", ">", "- x", "a: b", "{", "]", "@", "%", "\t", "debian13", "c.pem"]
    ),
    st.text(max_size=12),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(KEYS, inner, max_size=4).map(
            lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"
        ),
    ),
    max_leaves=8,
)
FILES = st.dictionaries(KEYS, VALUES, max_size=6).map(
    lambda items: "".join(f"{key}: {value}\n" for key, value in items.items())
)
SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _is_whole(loaded: Loaded) -> None:
    errors = [problem for problem in loaded.problems if problem.severity is Severity.ERROR]
    assert (loaded.fleet is None) == bool(errors)
    assert all(problem.hint and problem.message for problem in loaded.problems)
    text = text_report(loaded.problems, loaded.quotes)
    assert all(line.isprintable() for line in text.split("\n"))
    json_report(loaded.problems, loaded.quotes).encode("ascii")
    github_report(loaded.problems, loaded.quotes, fleet_dir=Path())


@SLOW
@given(site=FILES, fleet=FILES)
def test_yaml_like_text_never_gives_a_traceback(site: str, fleet: str, read: Read) -> None:
    _is_whole(read({"sites/b.yml": site.encode("utf-8", "replace")}))
    _is_whole(read({"fleet.yml": fleet.encode("utf-8", "replace"), "sites/b.yml": ""}))


@SLOW
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_bytes_never_give_a_traceback(content: bytes, read: Read) -> None:
    _is_whole(read({"sites/b.yml": content}))


@SLOW
@given(data=st.data())
def test_damaged_site_never_gives_a_traceback(data: st.DataObject, read: Read) -> None:
    site = (
        "site: b.example\nhost: mail1\noutgoing: isp\nmailboxes:\n  bob: {name: Bob, quota: 5G,"
        " forward: {to: [x@home.example]}}\n  carl:\n    password: !secret acme/anna\n"
        "aliases: {info: [bob, carl]}\ncatch_all: bob\n"
    )
    at = data.draw(st.integers(0, len(site) - 1))
    length = data.draw(st.integers(0, 8))
    put = data.draw(st.one_of(SCALARS, st.text(max_size=4)))
    damaged = site[:at] + put + site[at + length :]
    _is_whole(read({"sites/b.yml": damaged.encode("utf-8", "replace")}))


@given(text=st.text(max_size=70))
def test_local_part_that_is_taken_is_plain_and_comes_back(text: str) -> None:
    try:
        local = parse_local_part(text)
    except ValueError:
        return
    assert local == LocalPart.parse(local.text)
    assert local.text == text.lower()
    assert set(local.text) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")


@given(
    text=st.one_of(
        st.text(max_size=30),
        st.from_regex(r"[a-zA-Z0-9._+~-]{1,20}@[a-zA-Z0-9.-]{1,30}", fullmatch=True),
    )
)
def test_address_that_is_taken_comes_back(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert parse_address(str(address)) == address
    assert parse_target(str(address)) == address
    assert str(address).isascii()
    assert not set(str(address)) & set(" \t\n\r\0\"'\\(),:;<>[]|/%!$`") - {"'"}


@given(
    text=st.from_regex(r"([a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\.){1,5}[a-z]{2,10}", fullmatch=True)
)
def test_domain_comes_back_whatever_its_case(text: str) -> None:
    domain = Domain.parse(text)
    assert Domain.parse(str(domain).upper() + ".") == domain
    assert domain.is_within(domain)
    assert Address.parse(f"a@{domain}").domain == domain


@given(text=st.text())
def test_shown_text_can_be_seen(text: str) -> None:
    assert first_unseen(visible(text)) is None
    assert visible(text) == text or first_unseen(text) is not None


@pytest.mark.parametrize("char", ["\u034f", "\u115f", "\u3164", "\ufe0f", "\u2800", "\u00a0"])
def test_blank_that_counts_as_printable_is_unseen(char: str) -> None:
    assert first_unseen(f"a{char}b") == char
