"""A lab's network: a namespace of its own with a bridge, no link out and no route out."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from pathlib import Path

from provision.lab.programs import run
from provision.model.fleet import Fleet

CLIENT = "198.18.0.1"
"""Address of the lab's client side: where a provision command stands when it is in the lab."""

SECOND_CLIENT = "198.18.0.9"
"""Another address of the client side, for tests that need a second peer."""

WORLD = "198.18.0.2"
"""The host ``world``: resolver of every host, reverse proxy."""

SMARTHOST = "198.18.0.3"
"""The ISP's smarthost, on ``world``."""

OUTSIDE = "198.18.0.4"
"""Mail server of the outside domains, on ``world``."""

NAMESERVER = "198.18.0.5"
"""Authoritative name server, on ``world``."""

PREFIX = 24
LAB_NETWORK = ipaddress.ip_network("198.18.0.0/24")
RESERVED = frozenset({CLIENT, SECOND_CLIENT, WORLD, SMARTHOST, OUTSIDE, NAMESERVER})

BRIDGE = "br0"


def namespace_path(lab: str) -> Path:
    """The namespace's file, to enter it."""
    return Path("/run/netns") / lab


def make_network(lab: str) -> None:
    """Make the namespace and its bridge; nothing happens when they are there."""
    if namespace_path(lab).exists():
        return
    run(["ip", "netns", "add", lab])
    ip = ["ip", "-netns", lab]
    run([*ip, "link", "set", "lo", "up"])
    run([*ip, "link", "add", BRIDGE, "type", "bridge"])
    for address in (CLIENT, SECOND_CLIENT):
        run([*ip, "address", "add", f"{address}/{PREFIX}", "dev", BRIDGE])
    run([*ip, "link", "set", BRIDGE, "up"])


def remove_network(lab: str) -> None:
    """Remove the namespace and all in it; nothing happens when it is gone."""
    if namespace_path(lab).exists():
        run(["ip", "netns", "delete", lab])


def in_lab_network(address: str) -> bool:
    """True for an address of the lab's own network, false for one of the world outside."""
    return ipaddress.ip_address(address) in LAB_NETWORK


def shut_out_of(fleet: Fleet) -> list[str]:
    """Hosts whose firewall does not answer SSH from where commands stand in a lab."""
    client = ipaddress.ip_address(CLIENT)
    return [
        host.name
        for host in fleet.hosts
        if host.firewall
        and not any(client in ipaddress.ip_network(n) for n in host.firewall.ssh_from)
    ]


def lead_to(lab: str, addresses: Iterable[str]) -> None:
    """Let the client side reach machines at ``addresses`` outside the lab's network."""
    for address in addresses:
        run(["ip", "-netns", lab, "route", "replace", f"{address}/32", "dev", BRIDGE])


def plug(lab: str, *, leader: int, plugged: bool) -> None:
    """Pull a machine's network cable, or put it back; ``leader`` is the machine's first process."""
    peer = int(Path(f"/proc/{leader}/root/sys/class/net/host0/iflink").read_text())
    links = json.loads(run(["ip", "-netns", lab, "-json", "link"]))
    name = next(link["ifname"] for link in links if link["ifindex"] == peer)
    run(["ip", "-netns", lab, "link", "set", name, "up" if plugged else "down"])
