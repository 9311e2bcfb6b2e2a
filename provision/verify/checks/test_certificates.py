"""Certificates: they fit their keys and last long enough. What is served is probed by TLS."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from provision.model.certificate import CertificatePair
from provision.model.fleet import Site
from provision.verify.outcome import require
from provision.verify.target import ReachedTarget

_DAYS_LEFT = 14
_RENEW = "`provision apply` renews what our own authority issued; replace a certificate file."


def test_host_certificate_is_good(target: ReachedTarget) -> None:
    """The host's certificate names the host, fits its key and lasts two more weeks."""
    host = target.target.host
    _require_good(target.target.certificates.hosts[host.name], host.fqdn.name)


def test_site_certificate_is_good(target: ReachedTarget, site: Site) -> None:
    """The certificate of webmail.{site} names it, fits its key and lasts two more weeks."""
    _require_good(target.target.certificates.sites[site.domain.name], site.webmail_name.name)


def _require_good(pair: CertificatePair, name: str) -> None:
    leaf = x509.load_pem_x509_certificates(pair.chain.encode())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    key = load_pem_private_key(pair.key.reveal().encode(), None)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    require(
        name in names.get_values_for_type(x509.DNSName),
        f"the certificate does not name {name}",
        hint="Give a certificate for that name.",
    )
    require(
        key.public_key().public_bytes(*form) == leaf.public_key().public_bytes(*form),
        f"the key does not fit the certificate of {name}",
        hint="Give the key that the certificate was made for.",
    )
    days = (leaf.not_valid_after_utc - datetime.now(UTC)).days
    require(days >= _DAYS_LEFT, f"the certificate of {name} ends in {days} days", hint=_RENEW)
