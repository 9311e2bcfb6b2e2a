"""Judge a certificate and its key before any server is given them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from provision.model.address import Domain
from provision.model.certificate import CertificatePair

_SMALLEST_RSA = 2048  # OpenSSL's security level 2, Debian's default, refuses less


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why a pair must not go live, and what a person can do about it."""

    message: str
    hint: str


def faults_of(pair: CertificatePair, name: Domain, now: datetime) -> tuple[Fault, ...]:
    """Every reason why ``pair`` must not serve ``name`` at ``now`` (aware); empty when it may.

    The rules are those of a TLS client (RFC 5280 6.1, RFC 9525) and of the servers that load
    the pair: the leaf comes first and each certificate is followed by its issuer (RFC 8446 4.4.2).
    """
    chain = _parse_chain(pair.chain)
    key = _parse_key(pair.key.reveal())
    faults = [part for part in (chain, key) if isinstance(part, Fault)]
    if isinstance(chain, Fault):
        return tuple(faults)
    if not isinstance(key, Fault):
        faults += _key_faults(chain, key)
    faults += _name_faults(chain[0], name)
    faults += _usage_faults(chain[0])
    faults += _order_faults(chain)
    faults += [fault for link in chain for fault in _date_faults(link, now)]
    return tuple(faults)


def leaf_of(pair: CertificatePair) -> x509.Certificate:
    """The first certificate of the chain; raises ValueError when there is none."""
    return x509.load_pem_x509_certificate(pair.chain.encode())


def _parse_chain(text: str) -> list[x509.Certificate] | Fault:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return Fault(
            "the certificate file holds no readable PEM certificate",
            "it starts with -----BEGIN CERTIFICATE-----: the leaf first, then its issuers",
        )


def _parse_key(text: str) -> PrivateKeyTypes | Fault:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError:
        return Fault(
            "the private key is protected by a passphrase, which a server cannot type",
            "remove it: openssl pkey -in KEY -out NEWKEY",
        )
    except (ValueError, UnsupportedAlgorithm):
        return Fault(
            "the key file holds no readable PEM private key",
            "it starts with -----BEGIN PRIVATE KEY----- or -----BEGIN EC PRIVATE KEY-----",
        )


def _key_faults(chain: list[x509.Certificate], key: PrivateKeyTypes) -> list[Fault]:
    own = _fingerprint(key.public_key())
    if own == _fingerprint(chain[0].public_key()):
        return _strength_faults(key)
    if any(own == _fingerprint(link.public_key()) for link in chain[1:]):
        return [
            Fault(
                "the certificate that fits the key is not the first of its file",
                "put the leaf first, then its issuer, then that one's issuer",
            )
        ]
    return [
        Fault(
            "the private key does not belong to the certificate",
            "compare: openssl x509 -noout -pubkey -in CERT; openssl pkey -pubout -in KEY",
        )
    ]


def _fingerprint(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _strength_faults(key: PrivateKeyTypes) -> list[Fault]:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < _SMALLEST_RSA:
        message = f"the RSA key has {key.key_size} bits, and OpenSSL loads none below 2048"
    elif not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        message = "the key is neither RSA nor ECDSA, and many mail programs know no other kind"
    else:
        return []
    return [Fault(message, "ask for a certificate with an ECDSA P-256 key")]


def _name_faults(leaf: x509.Certificate, name: Domain) -> list[Fault]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        served = names.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, ValueError):
        served = []
    if any(_covers(pattern.lower(), name) for pattern in served):
        return []
    listed = ", ".join(served) or "no name at all"
    return [
        Fault(
            f"the certificate is for {listed}, not for {name}",
            "clients read the subject alternative names alone (RFC 9525): ask for that name",
        )
    ]


def _covers(pattern: str, name: Domain) -> bool:
    """A wildcard stands for exactly one label, the leftmost (RFC 9525 6.3)."""
    if pattern.startswith("*."):
        return pattern[2:] == name.name.partition(".")[2]
    return pattern == name.name


def _usage_faults(leaf: x509.Certificate) -> list[Fault]:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    if {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usage):
        return []
    return [
        Fault(
            "the certificate is not meant for a server (extended key usage)",
            "ask for a certificate with TLS Web Server Authentication",
        )
    ]


def _order_faults(chain: list[x509.Certificate]) -> list[Fault]:
    for subject, issuer in pairwise(chain):
        try:
            subject.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return [
                Fault(
                    f"the chain is out of order: {_title(issuer)} did not issue {_title(subject)}",
                    "order the file: the leaf first, each followed by its issuer (RFC 8446 4.4.2)",
                )
            ]
    return []


def _date_faults(link: x509.Certificate, now: datetime) -> list[Fault]:
    if now > link.not_valid_after_utc:
        message = f"{_title(link)} expired on {link.not_valid_after_utc:%Y-%m-%d}"
    elif now < link.not_valid_before_utc:
        message = f"{_title(link)} is not valid before {link.not_valid_before_utc:%Y-%m-%d}"
    else:
        return []
    return [Fault(message, "renew it, and check this machine's clock")]


def _title(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "the leaf certificate"
