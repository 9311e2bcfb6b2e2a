"""Certificates given as files fit their key and their name, or are refused where they are named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from provision.spec.load import Loaded
from provision.spec.vault import encrypt

Read = Callable[..., Loaded]
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _pair(*names: str) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + dt.timedelta(days=90))
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    chain = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return chain.decode(), private.decode()


SITE = "site: b.example\nhost: mail1\ncertificate:\n  chain: c/chain.pem\n  key: c/key.pem\n"


@pytest.mark.parametrize("name", ["webmail.b.example", "*.b.example"])
def test_pair_that_fits_is_taken(name: str, read: Read) -> None:
    chain, key = _pair(name)
    loaded = read({"sites/b.yml": SITE, "c/chain.pem": chain, "c/key.pem": key})
    assert loaded.fleet is not None, loaded.problems
    pair = loaded.fleet.sites[1].certificate
    assert pair is not None
    assert (pair.chain, pair.key.reveal()) == (chain, key)


@pytest.mark.parametrize(
    ("names", "key", "says"),
    [
        (("webmail.b.example",), "other", "the key does not belong"),
        (("b.example",), "own", "not for webmail.b.example"),
        ((), "own", "not for webmail.b.example"),
        (("webmail.b.example",), "none", "no PEM private key"),
    ],
)
def test_pair_that_does_not_fit_is_refused(
    names: tuple[str, ...], key: str, says: str, read: Read
) -> None:
    chain, own = _pair(*names)
    keys = {"own": own, "other": _pair("x")[1], "none": "nothing"}
    loaded = read({"sites/b.yml": SITE, "c/chain.pem": chain, "c/key.pem": keys[key]})
    (problem,) = loaded.problems
    assert says in problem.message
    assert str(problem.place) == "sites/b.yml:4:10"


def test_key_may_be_a_secret(read: Read) -> None:
    site = SITE.replace("c/key.pem", "!secret acme/anna")
    chain, _ = _pair("webmail.b.example")
    (problem,) = read({"sites/b.yml": site, "c/chain.pem": chain}).problems
    assert "no PEM private key" in problem.message


def test_key_may_be_a_secret_of_many_lines(read: Read) -> None:
    chain, key = _pair("webmail.b.example")
    indented = key.replace("\n", "\n  ")
    secrets = f"""\
fingerprint_key: "{"0123456789abcdef" * 4}"
isp: "x"
acme: {{anna: "y"}}
key: |
  {indented}
"""
    site = SITE.replace("c/key.pem", "!secret key")
    vault = encrypt(secrets.encode(), b"opens-the-vault", salt=b"s" * 32)
    loaded = read({"sites/b.yml": site, "c/chain.pem": chain, "secrets.yml": vault})
    assert loaded.fleet is not None, loaded.problems
    pair = loaded.fleet.sites[1].certificate
    assert pair is not None
    assert pair.key.reveal().strip() == key.strip()


def test_missing_files_are_named(read: Read) -> None:
    places = [str(problem.place) for problem in read({"sites/b.yml": SITE}).problems]
    assert places == ["sites/b.yml:4:10", "sites/b.yml:5:8"]
