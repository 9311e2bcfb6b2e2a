"""Render the firewall: one nftables table of ours, and the unit that loads it."""

from __future__ import annotations

from collections.abc import Iterable

from provision.model.access import FIREWALL_UNIT
from provision.model.bundle import (
    Activation,
    ManagedDirectory,
    ManagedFile,
    ManagedUnit,
    Part,
    PublicPort,
    Verb,
)
from provision.render.templates import fill
from provision.render.view import HostView

RULES = "/etc/provision/firewall.nft"


def render_firewall(view: HostView, served: Iterable[PublicPort]) -> Part:
    """The firewall's part of a host that asks for one; ``served`` is open to everybody."""
    firewall = view.host.firewall
    if firewall is None:
        return Part()
    rules = fill(
        "nftables/firewall.nft.j2",
        ssh_from_ipv4=firewall.ssh_from_ipv4,
        ssh_from_ipv6=firewall.ssh_from_ipv6,
        ssh_port=view.host.ssh_port,
        served=sorted({port.number for port in served}),
        also_open=firewall.also_open,
    )
    unit = fill("nftables/provision-firewall.service.j2", rules=RULES)
    return Part(
        files=(
            ManagedFile(RULES, rules, activations=(Activation(FIREWALL_UNIT, Verb.RELOAD),)),
            ManagedFile(
                f"/etc/systemd/system/{FIREWALL_UNIT}",
                unit,
                activations=(Activation(FIREWALL_UNIT, Verb.NONE),),
            ),
        ),
        directories=(ManagedDirectory("/etc/provision"),),
        packages=("nftables",),
        units=(ManagedUnit(FIREWALL_UNIT),),
    )
