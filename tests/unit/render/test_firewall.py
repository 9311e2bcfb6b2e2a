"""The firewall opens exactly what the other programs' configurations listen on."""

from __future__ import annotations

import re
import socket
from dataclasses import replace

from provision.model.bundle import Bundle, ManagedFile
from provision.model.certificate import CertificatePair, Certificates
from provision.model.firewall import Firewall, Opening
from provision.model.fleet import Fleet
from provision.model.secret import Secret
from provision.render.firewall import RULES
from provision.render.host import render_host


def _bundle(fleet: Fleet, firewall: Firewall | None, *, ssh_port: int = 22) -> Bundle:
    pair = CertificatePair("certificate\n", Secret("key\n"))
    host = replace(fleet.hosts[0], firewall=firewall, ssh_port=ssh_port)
    sites = {site.domain.name: pair for site in fleet.sites}
    certificates = Certificates({host.name: pair}, sites, authority="certificate\n")
    return render_host(replace(fleet, hosts=(host,)), host, certificates)


def _file(bundle: Bundle, path: str) -> ManagedFile:
    (found,) = [file for file in bundle.files if file.path == path]
    return found


def _rules(bundle: Bundle) -> str:
    return _file(bundle, RULES).content.decode()


def _listened(bundle: Bundle) -> set[int]:
    """The ports that the configurations of Postfix, Dovecot and nginx name."""
    master = _file(bundle, "/etc/postfix/master.cf").content.decode()
    services = re.findall(r"^(\S+)\s+inet\s", master, re.MULTILINE)
    dovecot = _file(bundle, "/etc/dovecot/dovecot.conf").content.decode()
    ports = {socket.getservbyname(name, "tcp") for name in services}
    ports |= {int(port) for port in re.findall(r"^\s*port = (\d+)$", dovecot, re.MULTILINE)}
    for file in bundle.files:
        if file.path.startswith("/etc/nginx/"):
            text = file.content.decode()
            ports |= {int(port) for port in re.findall(r"listen (?:\[::\]:)?(\d+)", text)}
    return ports - {0}


def test_what_is_declared_public_is_what_the_programs_listen_on(fleet: Fleet) -> None:
    bundle = _bundle(fleet, Firewall())
    assert {port.number for port in bundle.ports} == _listened(bundle)


def test_every_public_port_is_open_and_no_other(fleet: Fleet) -> None:
    bundle = _bundle(fleet, Firewall(("198.18.0.0/24",)))
    opened = re.findall(r"tcp dport (?:\{ ([\d, ]+) \}|(\d+)) accept", _rules(bundle))
    numbers = {int(port) for several, one in opened for port in (several or one).split(", ")}
    assert numbers == {22, *(port.number for port in bundle.ports)}


def test_ssh_is_answered_on_its_own_port_from_the_named_networks_alone(fleet: Fleet) -> None:
    rules = _rules(_bundle(fleet, Firewall(("198.18.0.0/24", "2001:db8::/32")), ssh_port=2222))
    assert "ip saddr { 198.18.0.0/24 } tcp dport 2222 accept" in rules
    assert "ip6 saddr { 2001:db8::/32 } tcp dport 2222 accept" in rules
    assert "dport 22 " not in rules


def test_one_family_of_addresses_makes_no_empty_set_of_the_other(fleet: Fleet) -> None:
    rules = _rules(_bundle(fleet, Firewall(("2001:db8::/32",))))
    assert "ip saddr" not in rules


def test_further_ports_are_open_by_their_protocol(fleet: Fleet) -> None:
    rules = _rules(_bundle(fleet, Firewall(also_open=(Opening("udp", 51820),))))
    assert "udp dport 51820 accept" in rules
    assert "tcp dport 51820" not in rules


def test_host_without_a_firewall_gets_none(fleet: Fleet) -> None:
    bundle = _bundle(fleet, None)
    assert "nftables" not in bundle.packages
    assert not [file.path for file in bundle.files if "firewall" in file.path]


def test_the_firewall_alone_touches_access(fleet: Fleet) -> None:
    bundle = _bundle(fleet, Firewall())
    unit = "provision-firewall.service"
    touching = [file.path for file in bundle.files if file.access]
    assert touching == [RULES, f"/etc/systemd/system/{unit}"]
    assert [unit.name for unit in bundle.units if unit.access] == [unit]
    assert not [user.name for user in bundle.users if user.access]
