"""Names: what customers type leads to the host."""

from __future__ import annotations

from provision.verify.outcome import require, require_none
from provision.verify.probes import clients
from provision.verify.probes.line import Line
from provision.verify.probes.place import HostPlace

_HINT = "Add the address record to the DNS."


def host_name_resolves(place: HostPlace) -> None:
    """The host's name has an address."""
    name = place.host.fqdn.name
    require(place.names.addresses(name), f"{name} has no address", hint=_HINT)


def greets_by_its_name(place: HostPlace) -> None:
    """Port 25 greets with the host's own name."""
    with clients.conversation("port 25"), place.door.connect(25) as connection:
        said = clients.text(connection.recv(512))
    require(
        said.split()[1:2] == [place.host.fqdn.name],
        f"port 25 greets with {said[:80]!r}",
        hint="Others compare it with the address's name: see myhostname in main.cf.",
    )


def mail_is_sent_to_the_host(line: Line) -> None:
    """The domains of {site} have their host as mail exchanger (MX)."""
    place = line.place
    wanted = place.host.fqdn.name
    wrong = []
    for domain in place.site.domains:
        found = place.names.exchangers(domain.name)
        if wanted not in found:
            wrong.append(f"{domain} has {'the MX ' + ', '.join(found) if found else 'no MX'}")
    require_none(wrong, hint=f"Add to the DNS: `DOMAIN. MX 10 {wanted}.`")


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
