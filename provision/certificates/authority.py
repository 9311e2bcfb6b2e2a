"""A certificate authority local to one fleet: ECDSA P-256, leaves for 90 days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provision.model.address import Domain
from provision.model.certificate import CertificatePair
from provision.model.secret import Secret

LEAF_LIFE = timedelta(days=90)
RENEW_BELOW = timedelta(days=30)
AUTHORITY_LIFE = timedelta(days=3650)
_BACKDATED = timedelta(hours=1)  # a host whose clock is a little behind still accepts it
_LONGEST_COMMON_NAME = 64  # RFC 5280 appendix A, ub-common-name


@dataclass(frozen=True, slots=True)
class Authority:
    """The fleet's own issuer. No name constraints: sites come and go, the issuer stays."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, fleet: str, now: datetime) -> Authority:
        """A new issuer for the fleet of that name, valid for ten years from ``now``."""
        key = ec.generate_private_key(ec.SECP256R1())
        title = _subject(f"provision CA of {fleet}"[:_LONGEST_COMMON_NAME])
        builder = (
            _builder(title, title, key.public_key(), (now, AUTHORITY_LIFE))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def of(cls, pair: CertificatePair) -> Authority:
        """The issuer stored as ``pair``; raises ValueError when it is damaged or mismatched."""
        certificate = x509.load_pem_x509_certificate(pair.chain.encode())
        key = load_pem_private_key(pair.key.reveal().encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the key is not an ECDSA key")  # noqa: TRY004 - stored data, not a call
        if key.public_key() != certificate.public_key():
            raise ValueError("the key does not belong to the certificate")
        return cls(certificate, key)

    def pair(self) -> CertificatePair:
        """The issuer itself as PEM, to be stored."""
        return _as_pair(self.certificate, self.key)

    def issue(self, name: Domain, now: datetime) -> CertificatePair:
        """A certificate with a new key for the server ``name``, valid for LEAF_LIFE."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name.name if len(name.name) <= _LONGEST_COMMON_NAME else None)
        builder = (
            _builder(subject, self.certificate.subject, key.public_key(), (now, LEAF_LIFE))
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name.name)]),
                critical=not list(subject),  # RFC 5280 4.2.1.6: when the subject is empty
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        return _as_pair(builder.sign(self.key, hashes.SHA256()), key)

    def issued(self, leaf: x509.Certificate) -> bool:
        """True when this issuer signed ``leaf``."""
        try:
            leaf.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def outlives_a_leaf(self, now: datetime) -> bool:
        """True while a certificate issued at ``now`` would expire before its issuer."""
        return now + LEAF_LIFE < self.certificate.not_valid_after_utc


def due_for_renewal(leaf: x509.Certificate, now: datetime) -> bool:
    """True when less than RENEW_BELOW of its life is left."""
    return leaf.not_valid_after_utc - now < RENEW_BELOW


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    life: tuple[datetime, timedelta],
) -> x509.CertificateBuilder:
    start = life[0].astimezone(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _BACKDATED)
        .not_valid_after(start + life[1])
    )


def _subject(common_name: str | None) -> x509.Name:
    if common_name is None:
        return x509.Name([])
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _as_pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> CertificatePair:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return CertificatePair(
        chain=certificate.public_bytes(Encoding.PEM).decode("ascii"),
        key=Secret(private.decode("ascii")),
    )
