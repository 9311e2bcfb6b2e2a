"""Where a probe happens: one site on one host, its probe mailbox, and the doors to both."""

from __future__ import annotations

from dataclasses import dataclass, field

from provision.model.address import Address
from provision.model.certificate import Certificates
from provision.model.fleet import Fleet, Host, Site
from provision.model.secret import Secret
from provision.verify.probes.clients import Door
from provision.verify.probes.names import Names

OUTSIDE = "nobody@example.net"
"""A recipient that no fleet hosts (RFC 2606); no message is ever sent to it."""


@dataclass(frozen=True, slots=True)
class HostPlace:
    """One host as it is seen from outside."""

    fleet: Fleet
    host: Host
    certificates: Certificates
    names: Names
    door: Door
    sites: tuple[SitePlace, ...]


@dataclass(frozen=True, slots=True)
class SitePlace:
    """One site as it is seen from outside, with the mailbox that probes log in to."""

    fleet: Fleet
    host: Host
    site: Site
    certificates: Certificates
    names: Names
    door: Door
    """To mail, by the host's fqdn."""
    web_door: Door
    """To webmail, by the site's own name."""
    mailbox: Address
    password: Secret = field(repr=False)
    neighbour: SitePlace | None = None
    """Another site on the same host, when there is one."""
