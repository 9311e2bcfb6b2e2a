"""No pair goes live that a client or a server would refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provision.certificates.authority import LEAF_LIFE, Authority
from provision.certificates.pair import faults_of
from provision.model.address import Domain
from provision.model.certificate import CertificatePair
from provision.model.secret import Secret

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
NAME = Domain("mail1.smartmail.example")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("smartmail", NOW)


@pytest.fixture(scope="module")
def pair(authority: Authority) -> CertificatePair:
    issued = authority.issue(NAME, NOW)
    return CertificatePair(issued.chain + authority.pair().chain, issued.key)


def messages(pair: CertificatePair, name: Domain = NAME, now: datetime = NOW) -> list[str]:
    return [fault.message for fault in faults_of(pair, name, now)]


def pem_key(key: Key, protection: KeySerializationEncryption | None = None) -> Secret:
    protection = protection or NoEncryption()
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection).decode())


def self_signed(key: Key, names: list[str], *extensions: x509.ExtensionType) -> CertificatePair:
    title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME.name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(title)
        .issuer_name(title)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=60))
    )
    if names:
        served = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(served, critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = builder.sign(key, algorithm)
    return CertificatePair(certificate.public_bytes(Encoding.PEM).decode(), pem_key(key))


def test_sound_pair_has_no_fault(pair: CertificatePair) -> None:
    assert messages(pair) == []


def test_key_of_another_certificate_is_refused(authority: Authority, pair: CertificatePair) -> None:
    other = authority.issue(NAME, NOW)
    assert messages(CertificatePair(pair.chain, other.key)) == [
        "the private key does not belong to the certificate"
    ]


def test_chain_that_does_not_start_with_the_leaf_is_refused(
    authority: Authority, pair: CertificatePair
) -> None:
    leaf = pair.chain.removesuffix(authority.pair().chain)
    reversed_chain = CertificatePair(authority.pair().chain + leaf, pair.key)
    assert any("is not the first of its file" in message for message in messages(reversed_chain))


def test_chain_of_strangers_is_refused(pair: CertificatePair) -> None:
    stranger = Authority.create("other", NOW).pair().chain
    leaf = pair.chain.partition("-----END CERTIFICATE-----\n")
    broken = CertificatePair(leaf[0] + leaf[1] + stranger, pair.key)
    assert any("did not issue" in message for message in messages(broken))


def test_certificate_for_another_name_is_refused(pair: CertificatePair) -> None:
    assert messages(pair, Domain("webmail.acme.example")) == [
        "the certificate is for mail1.smartmail.example, not for webmail.acme.example"
    ]


def test_common_name_alone_does_not_count() -> None:
    pair = self_signed(ec.generate_private_key(ec.SECP256R1()), [])
    assert messages(pair) == [f"the certificate is for no name at all, not for {NAME}"]


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [("*.smartmail.example", True), ("*.example", False), ("MAIL1.smartmail.EXAMPLE", True)],
)
def test_wildcard_stands_for_one_label(pattern: str, covered: bool) -> None:  # noqa: FBT001 - a case
    pair = self_signed(ec.generate_private_key(ec.SECP256R1()), [pattern])
    assert (messages(pair) == []) is covered


def test_expired_and_future_certificates_are_refused(authority: Authority) -> None:
    leaf = authority.issue(NAME, NOW)
    assert any("expired on 2027-02-21" in m for m in messages(leaf, now=NOW + LEAF_LIFE * 1.1))
    assert any("is not valid before" in m for m in messages(leaf, now=NOW - timedelta(days=2)))


def test_certificate_for_clients_only_is_refused() -> None:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    pair = self_signed(ec.generate_private_key(ec.SECP256R1()), [NAME.name], usage)
    assert messages(pair) == ["the certificate is not meant for a server (extended key usage)"]


def test_weak_and_unusual_keys_are_refused() -> None:
    weak = self_signed(rsa.generate_private_key(65537, 1024), [NAME.name])
    assert messages(weak) == ["the RSA key has 1024 bits, and OpenSSL loads none below 2048"]
    unusual = self_signed(ed25519.Ed25519PrivateKey.generate(), [NAME.name])
    assert any("neither RSA nor ECDSA" in message for message in messages(unusual))


def test_passphrase_on_the_key_is_refused(pair: CertificatePair) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    locked = CertificatePair(pair.chain, pem_key(key, BestAvailableEncryption(b"x")))
    assert messages(locked) == [
        "the private key is protected by a passphrase, which a server cannot type"
    ]


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_unreadable_files_are_named(pair: CertificatePair, text: str) -> None:
    assert messages(CertificatePair(text, Secret(text))) == [
        "the certificate file holds no readable PEM certificate",
        "the key file holds no readable PEM private key",
    ]
    assert messages(CertificatePair(pair.chain, Secret(text))) == [
        "the key file holds no readable PEM private key"
    ]


def test_every_fault_has_a_hint(authority: Authority) -> None:
    leaf = authority.issue(NAME, NOW)
    other = CertificatePair(leaf.chain, authority.issue(NAME, NOW).key)
    faults = faults_of(other, Domain("a.example"), NOW + LEAF_LIFE * 2)
    assert len(faults) == 3
    assert all(fault.hint for fault in faults)
