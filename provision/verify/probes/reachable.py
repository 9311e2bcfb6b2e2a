"""Names: what customers type leads to the host."""

from __future__ import annotations

from provision.verify.outcome import require
from provision.verify.probes.line import Line
from provision.verify.probes.place import HostPlace

_HINT = "Add the address record to the DNS."


def host_name_resolves(place: HostPlace) -> None:
    """The host's name has an address."""
    name = place.host.fqdn.name
    require(place.names.addresses(name), f"{name} has no address", hint=_HINT)


def webmail_name_leads_to_host(line: Line) -> None:
    """webmail.{site} has the same addresses as its host."""
    place = line.place
    webmail = set(place.names.addresses(place.site.webmail_name.name))
    host = set(place.names.addresses(place.host.fqdn.name))
    require(webmail, f"{place.site.webmail_name} has no address", hint=_HINT)
    require(
        webmail & host or not host,
        f"{place.site.webmail_name} leads to {', '.join(sorted(webmail))}, not to the host",
        hint="Correct its address record, or give it a CNAME to the host's name.",
    )
