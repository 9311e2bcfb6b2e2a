"""TLS as promised: 1.2 and 1.3 only, the right certificate, and time left on it (RFC 8996)."""

from __future__ import annotations

import hashlib
import ssl
import warnings
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provision.model.certificate import CertificatePair
from provision.verify.outcome import NotTried, require, require_none
from provision.verify.probes import clients
from provision.verify.probes.clients import Door, conversation
from provision.verify.probes.line import Line
from provision.verify.probes.place import HostPlace

_MAIL_PORTS = (25, 465, 587, 993, 995)
_STARTTLS = (25, 587)
_DAYS_LEFT = 14
_OLD = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
_MODERN = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
_STALE_HINT = "The daemon has not read the new file: reload it."


def old_tls_refused(place: HostPlace) -> None:
    """TLS 1.0 and 1.1 are refused on every port."""
    wrong = [
        f"port {port} accepts {version.name}"
        for port, door in _doors(place)
        for version in _OLD
        if _negotiates(door, port, version)
    ]
    require_none(wrong, hint="Set the least version to TLS 1.2.")


def modern_tls_accepted(place: HostPlace) -> None:
    """TLS 1.2 and 1.3 are accepted on every port."""
    wrong = [
        f"port {port} refuses {version.name}"
        for port, door in _doors(place)
        for version in _MODERN
        if not _negotiates(door, port, version)
    ]
    require_none(wrong, hint="Old and new mail programs need one of the two.")


def host_certificate_served(place: HostPlace) -> None:
    """Every mail port serves the host's own certificate, trusted, named right and lasting."""
    desired = place.certificates.hosts[place.host.name]
    for port in _MAIL_PORTS:
        with conversation(f"TLS on port {port}"):
            served = _served(place.door, port)
        _require_desired(served, desired, f"port {port}")


def site_certificate_served(line: Line) -> None:
    """webmail.{site} serves the site's own certificate, trusted, named right and lasting."""
    site = line.place.site
    with conversation(f"TLS of {site.webmail_name}"):
        served = _served(line.place.web_door, 443)
    desired = line.place.certificates.sites[site.domain.name]
    _require_desired(served, desired, site.webmail_name.name)


def _doors(place: HostPlace) -> list[tuple[int, Door]]:
    """Every port with TLS; nginx answers to the names of sites alone."""
    web = [(443, place.sites[0].web_door)] if place.sites else []
    return [*((port, place.door) for port in _MAIL_PORTS), *web]


def _require_desired(served: bytes, desired: CertificatePair, where: str) -> None:
    leaf = x509.load_pem_x509_certificates(desired.chain.encode())[0]
    days = (x509.load_der_x509_certificate(served).not_valid_after_utc - datetime.now(UTC)).days
    require(days >= _DAYS_LEFT, f"the certificate at {where} ends in {days} days")
    require(
        hashlib.sha256(served).digest() == hashlib.sha256(leaf.public_bytes(Encoding.DER)).digest(),
        f"{where} serves another certificate than the spec's",
        hint=_STALE_HINT,
    )


def _served(door: Door, port: int) -> bytes:
    """The leaf that is served, verified against our trust and the door's name; DER."""
    with _handshake(door, port, door.tls) as connection:
        return connection.getpeercert(binary_form=True) or b""


def _negotiates(door: Door, port: int, version: ssl.TLSVersion) -> bool:
    """Whether a handshake with this version alone succeeds; says nothing about certificates."""
    try:
        with _handshake(door, port, _CONTEXTS[version]):
            return True
    except ssl.SSLError as error:
        if "NO_PROTOCOLS_AVAILABLE" in str(error.reason):
            raise NotTried(f"OpenSSL on this machine cannot offer {version.name}") from error
        return False
    except ConnectionResetError:
        return False
    except OSError as error:
        raise NotTried(f"port {port}: {clients.words(error)}") from error


def _handshake(door: Door, port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    if port not in _STARTTLS:
        return context.wrap_socket(door.connect(port), server_hostname=door.name)
    plain = clients.smtp(door, port)
    try:
        plain.starttls(context=context)
    except BaseException:
        plain.close()
        raise
    connection = plain.sock
    if not isinstance(connection, ssl.SSLSocket):
        raise ssl.SSLError("STARTTLS gave no TLS")
    return connection


def _only(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    if version in _OLD:
        context.set_ciphers("ALL:@SECLEVEL=0")  # OpenSSL 3 would not even offer it otherwise
    return context


_CONTEXTS = {version: _only(version) for version in (*_OLD, *_MODERN)}
"""Made once, before threads start: catch_warnings is not safe in threads."""
