"""What a lab is asked to rehearse: the fleet's machines."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

import yaml

from provision.errors import ProvisionError
from provision.lab.images import SUITES
from provision.lab.network import CLIENT, PREFIX, RESERVED


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine of the lab; ``address`` is IPv4, ``fqdn`` a full name."""

    name: str
    address: str
    fqdn: str
    release: str


class _Loader(yaml.SafeLoader):
    """Reads a fleet.yml and leaves its secrets alone."""


_Loader.add_constructor("!secret", lambda _loader, _node: None)


def read_machines(fleet_dir: Path) -> tuple[str, tuple[Machine, ...]]:
    """The fleet's name and its machines; raises ProvisionError when they do not fit a lab."""
    path = fleet_dir / "fleet.yml"
    try:
        spec = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise ProvisionError(
            f"{path} cannot be read: {error.strerror}", hint="name the fleet folder with -i DIR"
        ) from error
    machines = tuple(
        Machine(name, host["address"], host["fqdn"], host.get("release", "debian13"))
        for name, host in spec["hosts"].items()
    )
    for machine in machines:
        require_fitting(machine)
    return str(spec["fleet"]), machines


def require_fitting(machine: Machine) -> None:
    """Check that a lab can have this machine; raises ProvisionError that says why not."""
    network = ipaddress.ip_network(f"{CLIENT}/{PREFIX}", strict=False)
    try:
        inside = ipaddress.ip_address(machine.address) in network
    except ValueError:
        inside = False
    if not inside or machine.address in RESERVED:
        taken = ", ".join(sorted(RESERVED))
        raise ProvisionError(
            f"host {machine.name} has the address {machine.address}, which a lab does not have",
            hint=f"rehearse with a copy of the fleet whose hosts are in {network}, not {taken}",
        )
    if machine.release not in SUITES:
        raise ProvisionError(
            f"host {machine.name} is {machine.release}; a lab can build {', '.join(SUITES)}"
        )
