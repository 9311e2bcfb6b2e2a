"""The lab's certificate authority: stands for the public ones, trusted inside labs alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provision.lab.cache import built_once, cache_dir

_YEAR = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, both PEM."""

    certificate: str
    key: str = field(repr=False)


def authority() -> str:
    """The authority's certificate as PEM; made once, then kept in the cache."""
    return (_folder() / "ca.pem").read_text()


def issue(names: Sequence[str]) -> Issued:
    """A server certificate for ``names`` (DNS), valid for a year, signed by the authority."""
    folder = _folder()
    signer = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signer_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    certificate = (
        _builder(names[0], key, issuer=signer.subject)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(_elliptic(signer_key), hashes.SHA256())
    )
    return Issued(_pem(certificate), _key_pem(key))


def _folder() -> Path:
    folder = cache_dir() / "authority"
    folder.parent.mkdir(parents=True, exist_ok=True)
    return built_once(folder, _make)


def _make(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder("Outside world of the provision lab", key, years=20)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.chmod(0o700)
    (folder / "ca.pem").write_text(_pem(certificate))
    (folder / "ca.key").touch(mode=0o600)
    (folder / "ca.key").write_text(_key_pem(key))


def _builder(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Name | None = None,
    years: int = 1,
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + years * _YEAR)
    )


def _elliptic(key: object) -> ec.EllipticCurvePrivateKey:
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is not an elliptic-curve key")
    return key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
