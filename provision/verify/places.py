"""From a target to the places where it is probed: names looked up, trust and passwords ready."""

from __future__ import annotations

import ssl
from dataclasses import replace

from provision.model.fleet import Site
from provision.model.probe import probe_address, probe_password
from provision.verify.probes.clients import Door
from provision.verify.probes.names import Names
from provision.verify.probes.place import HostPlace, SitePlace
from provision.verify.target import Target


def place_of(target: Target, names: Names) -> HostPlace:
    """Where a host and its chosen sites are probed.

    The names are entered at the addresses that they have in the DNS, as customers would; a name
    without one is entered at the host's own address, so that one missing record, which a probe of
    its own reports, does not hide all else.
    """
    doors = _Doors(target, names)
    return HostPlace(
        fleet=target.fleet,
        host=target.host,
        certificates=target.certificates,
        names=names,
        door=doors.of(target.host.fqdn.name),
        sites=tuple(
            replace(_site_place(target, site, doors), neighbour=_neighbour(target, site, doors))
            for site in target.sites
        ),
    )


class _Doors:
    """Makes the doors of one target, all with the same trust."""

    def __init__(self, target: Target, names: Names) -> None:
        self._otherwise = target.host.address
        self._trust = ssl.create_default_context(cadata=target.certificates.authority)
        if target.certificates.authority:
            self._trust.load_default_certs()
        self._known: dict[str, Door] = {}
        self.names = names

    def of(self, name: str) -> Door:
        """The door to a name; always the same one, which knows the ports that are silent."""
        if name not in self._known:
            found = self.names.addresses(name)
            self._known[name] = Door(found[0] if found else self._otherwise, name, self._trust)
        return self._known[name]


def _site_place(target: Target, site: Site, doors: _Doors) -> SitePlace:
    return SitePlace(
        fleet=target.fleet,
        host=target.host,
        site=site,
        certificates=target.certificates,
        names=doors.names,
        door=doors.of(target.host.fqdn.name),
        web_door=doors.of(site.webmail_name.name),
        mailbox=probe_address(site.domain),
        password=probe_password(target.fleet, site.domain),
    )


def _neighbour(target: Target, site: Site, doors: _Doors) -> SitePlace | None:
    """The next site on the same host, so that all of them send to each other in a ring."""
    ring = target.fleet.sites_on(target.host)
    other = ring[(ring.index(site) + 1) % len(ring)]
    return None if other == site else _site_place(target, other, doors)
