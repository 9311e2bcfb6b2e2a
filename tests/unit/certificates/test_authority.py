"""The fleet's own CA: what it issues is its own, for one server, whatever the name's length."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provision.certificates.authority import LEAF_LIFE, RENEW_BELOW, Authority, due_for_renewal
from provision.certificates.pair import faults_of, leaf_of
from provision.model.address import Domain
from provision.model.certificate import CertificatePair
from provision.model.secret import Secret

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
NAME = Domain("mail1.smartmail.example")
LONG = Domain("webmail." + ".".join(["a" * 60] * 3) + ".example")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("smartmail", NOW)


def test_authority_knows_its_own_leaves(authority: Authority) -> None:
    assert authority.issued(leaf_of(authority.issue(NAME, NOW)))
    namesake = Authority.create("smartmail", NOW)
    assert not authority.issued(leaf_of(namesake.issue(NAME, NOW)))
    stranger = Authority.create("other", NOW)
    assert not authority.issued(leaf_of(stranger.issue(NAME, NOW)))


def test_stored_authority_is_the_same(authority: Authority) -> None:
    again = Authority.of(authority.pair())
    assert again.certificate == authority.certificate
    assert again.issued(leaf_of(authority.issue(NAME, NOW)))


def test_authority_with_the_key_of_another_is_refused(authority: Authority) -> None:
    other = Authority.create("other", NOW).pair()
    with pytest.raises(ValueError, match="does not belong"):
        Authority.of(CertificatePair(authority.pair().chain, other.key))


def test_authority_with_a_key_of_another_kind_is_refused(authority: Authority) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ValueError, match="not an ECDSA key"):
        Authority.of(CertificatePair(authority.pair().chain, Secret(pem)))


def test_name_too_long_for_a_subject_stands_in_the_critical_alternative_name(
    authority: Authority,
) -> None:
    pair = authority.issue(LONG, NOW)
    assert faults_of(pair, LONG, NOW) == ()
    leaf = leaf_of(pair)
    assert not list(leaf.subject)
    assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


def test_leaf_is_valid_for_ninety_days_and_cannot_sign_others(authority: Authority) -> None:
    leaf = leaf_of(authority.issue(NAME, NOW))
    assert leaf.not_valid_after_utc - NOW == LEAF_LIFE
    assert leaf.not_valid_before_utc < NOW
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_renewal_is_due_below_thirty_days(authority: Authority) -> None:
    leaf = leaf_of(authority.issue(NAME, NOW))
    last_day = leaf.not_valid_after_utc - RENEW_BELOW
    assert not due_for_renewal(leaf, last_day)
    assert due_for_renewal(leaf, last_day.replace(second=last_day.second + 1))
