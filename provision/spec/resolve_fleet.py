"""fleet.yml to hosts and smarthosts of the model."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model.firewall import EVERYWHERE, Firewall
from provision.model.fleet import Host, Outgoing, Release, Route, Smarthost, TlsPolicy
from provision.spec.characters import shown
from provision.spec.context import Context
from provision.spec.door import FleetFile, SmarthostSpec
from provision.spec.door_host import FirewallSpec, HostSpec, SshSpec
from provision.spec.node import Document


def resolve_hosts(spec: FleetFile, document: Document, context: Context) -> tuple[Host, ...]:
    """The fleet's hosts, sorted by name."""
    return tuple(_host(name, spec.hosts[name], document, context) for name in sorted(spec.hosts))


def _host(name: str, spec: HostSpec, document: Document, context: Context) -> Host:
    ssh = spec.ssh or SshSpec()
    return Host(
        name=name,
        address=spec.address,
        fqdn=spec.fqdn,
        release=Release(spec.release),
        ssh_user=ssh.user,
        ssh_port=ssh.port,
        certificate=context.certificate(
            spec.certificate, spec.fqdn, document, "hosts", name, "certificate"
        ),
        firewall=resolve_firewall(spec.firewall) if spec.firewall else None,
    )


def resolve_firewall(spec: FirewallSpec) -> Firewall:
    """What a host asks for, with the networks as nft takes them."""
    networks = tuple(_collapsed(spec.ssh_from)) if spec.ssh_from else EVERYWHERE
    return Firewall(networks, tuple(sorted(set(spec.also_open))))


def _collapsed(networks: list[str]) -> Iterator[str]:
    """The same addresses with no network inside another: nft refuses a set that has one."""
    import ipaddress  # noqa: PLC0415 - start-up time

    parsed = [ipaddress.ip_network(network) for network in networks]
    ipv4 = [network for network in parsed if isinstance(network, ipaddress.IPv4Network)]
    ipv6 = [network for network in parsed if isinstance(network, ipaddress.IPv6Network)]
    yield from map(str, ipaddress.collapse_addresses(ipv4))
    yield from map(str, ipaddress.collapse_addresses(ipv6))


def resolve_smarthosts(
    spec: FleetFile, document: Document, context: Context
) -> tuple[Smarthost, ...]:
    """The fleet's smarthosts, sorted by name."""
    return tuple(
        _smarthost(name, spec.smarthosts[name], document, context)
        for name in sorted(spec.smarthosts)
    )


def _smarthost(name: str, spec: SmarthostSpec, document: Document, context: Context) -> Smarthost:
    path = ("smarthosts", name, "password")
    password = context.secret(spec.password, document, *path)
    text = password.reveal()
    if text != text.strip() or not text.isprintable():
        context.problems.error(
            "secret-text",
            document.place(*path),
            f"the secret {shown(spec.password.name)} starts or ends with a space, or holds a"
            " control character; Postfix would lose it",
            hint="change it in secrets.yml, or have the password changed",
        )
    return Smarthost(
        name=name,
        host=spec.host,
        port=spec.port,
        tls=TlsPolicy(spec.tls),
        username=spec.username,
        password=password,
    )


def resolve_outgoing(text: str) -> Outgoing:
    """``direct``, ``none``, or a smarthost's name; whether there is one is a rule's business."""
    if text in (Route.DIRECT, Route.NONE):
        return Outgoing(Route(text))
    return Outgoing(Route.SMARTHOST, text)
