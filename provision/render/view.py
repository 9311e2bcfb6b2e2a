"""What every renderer is given: one host and all that concerns it."""

from __future__ import annotations

from dataclasses import dataclass

from provision.model.certificate import CertificatePair, Certificates
from provision.model.fleet import Fleet, Host, Site, Smarthost


@dataclass(frozen=True, slots=True)
class HostView:
    """One host with its sites, the smarthosts they use, and its certificates."""

    fleet: Fleet
    host: Host
    sites: tuple[Site, ...]
    smarthosts: tuple[Smarthost, ...]
    """Sorted by name; only those that a site of this host uses."""
    certificates: Certificates

    @classmethod
    def of(cls, fleet: Fleet, host: Host, certificates: Certificates) -> HostView:
        """Select what concerns ``host``."""
        sites = fleet.sites_on(host)
        used = {site.outgoing.smarthost for site in sites}
        smarthosts = sorted((s for s in fleet.smarthosts if s.name in used), key=lambda s: s.name)
        return cls(fleet, host, sites, tuple(smarthosts), certificates)

    @property
    def host_certificate(self) -> CertificatePair:
        """The certificate for the host's fqdn."""
        return self.certificates.hosts[self.host.name]

    def site_certificate(self, site: Site) -> CertificatePair:
        """The certificate for the site's webmail name."""
        return self.certificates.sites[site.domain.name]
