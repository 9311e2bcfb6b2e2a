"""What a lab is asked to rehearse: a fleet's machines, the names it needs and its logins."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from provision.errors import ProvisionError
from provision.lab.images import SUITES
from provision.lab.network import LAB_NETWORK, RESERVED
from provision.model.fleet import Fleet, Smarthost


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine of the lab; ``address`` is IPv4, ``fqdn`` a full name."""

    name: str
    address: str
    fqdn: str
    release: str


@dataclass(frozen=True, slots=True)
class HostedSite:
    """A site as the world sees it: its mail domains, the machine that takes their mail."""

    domains: tuple[str, ...]
    machine: Machine
    webmail: str


@dataclass(frozen=True, slots=True)
class Login:
    """A login that the ISP's smarthost knows, and the sender domains that it may use."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    senders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Estate:
    """All that a lab builds from."""

    name: str
    machines: tuple[Machine, ...]
    sites: tuple[HostedSite, ...] = ()
    logins: tuple[Login, ...] = ()

    def machine(self, name: str) -> Machine:
        """The machine of that name; raises ProvisionError when there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        known = ", ".join(machine.name for machine in self.machines)
        raise ProvisionError(f"the lab has no host {name!r}; it has {known}")


def estate_of(fleet: Fleet) -> Estate:
    """What to rehearse for ``fleet``; raises ProvisionError when a host does not fit a lab."""
    machines = {
        host.name: Machine(host.name, host.address, str(host.fqdn), host.release.value)
        for host in fleet.hosts
    }
    for machine in machines.values():
        _require_fitting(machine)
    return Estate(
        name=fleet.name,
        machines=tuple(machines.values()),
        sites=tuple(
            HostedSite(
                tuple(str(domain) for domain in site.domains),
                machines[site.host],
                str(site.webmail_name),
            )
            for site in fleet.sites
        ),
        logins=tuple(_login(fleet, smarthost) for smarthost in fleet.smarthosts),
    )


def _login(fleet: Fleet, smarthost: Smarthost) -> Login:
    senders = [
        str(domain)
        for site in fleet.sites
        if site.outgoing.smarthost == smarthost.name
        for domain in site.domains
    ]
    return Login(
        host=str(smarthost.host),
        port=smarthost.port,
        username=smarthost.username,
        password=smarthost.password.reveal(),
        senders=tuple(senders),
    )


def _require_fitting(machine: Machine) -> None:
    if not _is_usable(machine.address):
        raise ProvisionError(
            f"host {machine.name} has the address {machine.address}, which a lab does not have",
            hint=f"rehearse with an IPv4 address, its real one or one of {LAB_NETWORK},"
            f" but none of {', '.join(sorted(RESERVED))}",
        )
    if machine.name == "world":
        raise ProvisionError("a lab has a host called world besides the fleet's own")
    if machine.release not in SUITES:
        raise ProvisionError(
            f"host {machine.name} is {machine.release}; a lab can build {', '.join(SUITES)}"
        )


def _is_usable(text: str) -> bool:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    special = address.is_loopback or address.is_multicast or address.is_unspecified
    return not special and text not in RESERVED
