"""Certificates as values: what the renderer is given, wherever they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provision.model.secret import Secret


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """A certificate with its chain (leaf first) and the private key that fits, both PEM."""

    chain: str = field(repr=False)
    key: Secret


@dataclass(frozen=True, slots=True)
class Certificates:
    """Every certificate that a fleet's hosts serve.

    ``hosts`` by host name: for the fqdn (Postfix, Dovecot, nginx's default server).
    ``sites`` by the site's domain: for webmail.SITE in nginx.
    """

    hosts: Mapping[str, CertificatePair]
    sites: Mapping[str, CertificatePair]
    authority: str | None = None
    """PEM of the fleet-local CA when it issued any of them."""
