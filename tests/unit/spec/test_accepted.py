"""What a spec may say is carried through unharmed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provision.assets import demo_fleet_dir
from provision.errors import SpecInvalid
from provision.model.address import Address
from provision.model.fleet import (
    Fleet,
    Forward,
    GeneratedPassword,
    GivenHash,
    GivenPassword,
    Outgoing,
    Route,
    Site,
    TlsPolicy,
)
from provision.spec.load import Loaded, load_fleet

Read = Callable[..., Loaded]
HASHES = [
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$" + "r" * 43,
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=2$c29tZXNhbHRzb21lc2FsdA$" + "r" * 43,
    "{BLF-CRYPT}$2y$05$" + "a" * 53,
    "{SHA512-CRYPT}$6$saltsaltsaltsalt$" + "b" * 86,
    "{SHA512-CRYPT}$6$rounds=50000$salt$" + "b" * 86,
    "{SHA256-CRYPT}$5$salt$" + "c" * 43,
    "{PBKDF2}$1$Wbaa2d9vd1rVG2qE$5000$" + "0" * 40,
]


def _site(read: Read, text: str) -> Site:
    loaded = read({"sites/other.yml": "site: other.example\nhost: mail1\n" + text})
    assert loaded.fleet is not None, loaded.problems
    return next(site for site in loaded.fleet.sites if site.domain.name == "other.example")


def test_demo_fleet_loads() -> None:
    fleet = load_fleet(demo_fleet_dir())
    assert isinstance(fleet, Fleet)
    assert [str(site.domain) for site in fleet.sites] == [
        "acme.example",
        "blue.example",
        "quiet.example",
    ]
    assert fleet.smarthost("yourisp").tls is TlsPolicy.VERIFY
    acme = fleet.sites[0]
    assert acme.webmail.logo is not None
    assert [str(alias.local) for alias in acme.aliases] == ["abuse", "info", "postmaster", "sales"]


def test_protection_is_asked_for_by_site_and_mailbox_alone(read: Read) -> None:
    plain = _site(read, "mailboxes: {anna: {}, bob: {protect: true}}\n")
    assert (plain.protect, [box.protect for box in plain.mailboxes]) == (False, [False, True])
    assert _site(read, "protect: true\n").protect


def test_load_fleet_raises_with_every_problem(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid, match=r"fleet\.yml: there is no file") as raised:
        load_fleet(tmp_path)
    assert len(raised.value.problems) == 3


def test_words_that_old_yaml_takes_for_values_are_names(read: Read) -> None:
    site = _site(read, "mailboxes: {no: , on: , yes: , y: , off: , 12: , 1_000: , 2024-01-01: }\n")
    names = [mailbox.local.text for mailbox in site.mailboxes]
    assert names == ["12", "1_000", "2024-01-01", "no", "off", "on", "y", "yes"]


def test_numbers_are_those_of_yaml_1_2(read: Read) -> None:
    site = _site(read, "mailboxes:\n  a: {quota: 010}\n  b: {quota: 0x10}\n  c: {quota: 0o10}\n")
    assert [m.quota.bytes for m in site.mailboxes if m.quota] == [10, 16, 8]


@pytest.mark.parametrize(
    "name",
    ["{{ ''.__class__.__mro__ }}", "$(id) `id` ${x}", "<b>&amp;]]>", "it's \"quoted\" \\ #1",
     "';--", "%m\\n", "山田 太郎", "Ünal Öz", "a: b", "- x", "=cmd|' /C calc'!A0"],
)  # fmt: skip
def test_display_name_is_free_text(name: str, read: Read) -> None:
    quoted = "'" + name.replace("'", "''") + "'"
    site = _site(read, f"mailboxes:\n  a: {{name: {quoted}}}\nwebmail: {{name: {quoted}}}\n")
    assert site.mailboxes[0].name == name
    assert site.webmail.name == name


def test_passwords_are_of_three_kinds(read: Read) -> None:
    site = _site(
        read,
        f"mailboxes:\n  a: {{password: !secret acme/anna}}\n  b: {{password_hash: '{HASHES[0]}'}}\n"
        "  c:\n",
    )
    given, hashed, generated = [mailbox.password for mailbox in site.mailboxes]
    assert isinstance(given, GivenPassword)
    assert given.password.reveal() == "canary-3f9c1e-tweet"
    assert isinstance(hashed, GivenHash)
    assert hashed.hash.reveal() == HASHES[0]
    assert isinstance(generated, GeneratedPassword)


@pytest.mark.parametrize("text", HASHES, ids=lambda text: text[:20])
def test_strong_hash_is_taken(text: str, read: Read) -> None:
    site = _site(read, f"mailboxes: {{a: {{password_hash: '{text}'}}}}\n")
    password = site.mailboxes[0].password
    assert isinstance(password, GivenHash)
    assert password.hash.reveal() == text


def test_secret_with_odd_characters_inside_is_carried_through(read: Read) -> None:
    fleet = read({}).fleet
    assert fleet is not None
    assert fleet.smarthost("isp").password.reveal() == "in side #1 $x: long"


def test_defaults_reach_mailboxes_and_can_be_overruled(read: Read) -> None:
    site = _site(read, "mailboxes: {a: , b: {quota: 64K, pop3: false}, c: {quota: none}}\n")
    assert [str(m.quota) for m in site.mailboxes] == ["2G", "64K", "None"]
    assert [m.pop3 for m in site.mailboxes] == [True, False, True]
    assert site.outgoing == Outgoing(Route.SMARTHOST, "isp")
    assert _site(read, "outgoing: none\n").outgoing == Outgoing(Route.NONE)
    assert _site(read, "outgoing: direct\n").outgoing == Outgoing(Route.DIRECT)


def test_own_addresses_become_canonical_and_others_stay(read: Read) -> None:
    text = """\
domain_aliases: [other.test]
mailboxes:
  a: {forward: {to: [B@x.example, Anna@ACME.example]}}
  b:
aliases: {c: [b, B+x@Other.test]}
"""
    site = _site(read, text)
    assert site.mailboxes[0].forward == Forward(
        (Address.parse("B@x.example"), Address.parse("anna@acme.example")), keep_copy=True
    )
    alias = next(alias for alias in site.aliases if alias.local.text == "c")
    assert [str(target) for target in alias.targets] == ["b@other.example", "b+x@other.example"]


def test_notes_to_people_are_allowed_but_a_mailbox_may_start_alike(read: Read) -> None:
    site = _site(
        read, "x-ticket: [1, {a: b}]\nmailboxes: {x-ray: {x-since: 2024-01-01, name: X}}\n"
    )
    assert site.mailboxes[0].local.text == "x-ray"


def test_international_domain_becomes_a_labels(read: Read) -> None:
    site = _site(read, "domain_aliases: [münchen.example, xn--mnchen-3ya.test, ПРИМЕР.example]\n")
    assert [domain.name for domain in site.domain_aliases] == [
        "xn--e1afmkfd.example",
        "xn--mnchen-3ya.example",
        "xn--mnchen-3ya.test",
    ]


def test_trailing_dot_and_capitals_are_normalised(read: Read) -> None:
    site = _site(read, "domain_aliases: [Other.TEST.]\n")
    assert site.domain_aliases[0].name == "other.test"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("192.0.2.7", "192.0.2.7"), ("'2001:DB8:0::7'", "2001:db8::7"), ("Mail1.Host.example",) * 2],
)
def test_host_address(written: str, canonical: str, read: Read) -> None:
    text = f"fleet: test\nhosts:\n  mail1: {{address: {written}, fqdn: m.host.example, release: debian13, ssh: {{user: admin, port: 2222}}}}\ndefaults: {{outgoing: direct}}\n"  # noqa: E501 - one line of YAML
    fleet = read({"fleet.yml": text}).fleet
    assert fleet is not None
    host = fleet.host("mail1")
    assert host.address == canonical.lower()
    assert (host.ssh_user, host.ssh_port) == ("admin", 2222)


@pytest.mark.parametrize(
    "written",
    ["0.0.0.0", "224.0.0.1", "169.254.169.254", "fe80::1", "'fe80::1%eth0'", "1.2.3", "999.1.1.1",
     "01.2.3.4", "255.255.255.255", "'::'", "-oProxyCommand=x", "'a b'", "localhost"],
)  # fmt: skip
def test_host_address_that_is_not_one_machine_is_refused(written: str, read: Read) -> None:
    text = f"fleet: test\nhosts:\n  mail1: {{address: {written}, fqdn: m.host.example, release: debian13}}\ndefaults: {{outgoing: direct}}\n"  # noqa: E501 - one line of YAML
    loaded = read({"fleet.yml": text})
    assert [(p.place.file, p.place.line) for p in loaded.problems] == [("fleet.yml", 3)]


def test_smarthost_may_use_tls_from_the_first_byte(read: Read) -> None:
    text = (
        "fleet: test\nhosts:\n"
        "  mail1: {address: 192.0.2.1, fqdn: m.host.example, release: debian13}\n"
        "smarthosts: {isp: {host: smtp.isp.example, port: 465, tls: encrypt, username: 'us$er#1',"
        " password: !secret isp}}\ndefaults: {outgoing: isp}\n"
    )
    fleet = read({"fleet.yml": text}).fleet
    assert fleet is not None
    smarthost = fleet.smarthost("isp")
    assert (smarthost.port, smarthost.tls) == (465, TlsPolicy.ENCRYPT)
    assert smarthost.username == "us$er#1"
