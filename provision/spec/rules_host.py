"""Rules for hosts and smarthosts: each its own, none leading back to ourselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from provision.model.address import Domain
from provision.model.fleet import Host
from provision.spec.characters import shown
from provision.spec.node import Document
from provision.spec.problem import Note, Place, Problem, Problems
from provision.spec.written import WrittenFleet

_LOOPBACK = ("localhost", "localdomain", "local", "internal")
"""Last labels that mean this machine or this network (RFC 6761, RFC 6762, RFC 8375)."""


def check_hosts(hosts: tuple[Host, ...], document: Document, problems: Problems) -> None:
    """No two hosts share an address (with its SSH port) or a name."""
    seen: dict[tuple[str, str], Host] = {}
    for host in hosts:
        claims = (("address", f"{host.address} port {host.ssh_port}"), ("fqdn", str(host.fqdn)))
        for key, value in claims:
            first = seen.setdefault((key, value), host)
            if first is not host:
                problems.add(
                    Problem(
                        "host-twice",
                        document.place("hosts", host.name, key),
                        f"the hosts {first.name} and {host.name} have the same {key}",
                        "each host is one machine with a name of its own",
                        notes=(Note(document.place("hosts", first.name, key), "first given here"),),
                    )
                )


def check_firewalls(hosts: tuple[Host, ...], document: Document, problems: Problems) -> None:
    """SSH's own port is opened by ssh_from alone."""
    for host in hosts:
        openings = host.firewall.also_open if host.firewall else ()
        if any((o.protocol, o.port) == ("tcp", host.ssh_port) for o in openings):
            problems.error(
                "firewall-ssh", document.key_place("hosts", host.name, "firewall", "also_open"),
                f"tcp/{host.ssh_port} is where SSH listens: this opens it to everybody",
                hint="take it out; ssh_from says who may come",
            )  # fmt: skip


def check_smarthosts(written: WrittenFleet, document: Document, problems: Problems) -> None:
    """A smarthost is another's machine, reached with encryption that Postfix can start."""
    ours = {host.fqdn for host in written.hosts} | {one.site.webmail_name for one in written.sites}
    ours |= {name for name in map(_as_name, written.hosts) if name is not None}
    for smarthost in written.smarthosts:
        place = document.place("smarthosts", smarthost.name, "host")
        if smarthost.host in ours:
            problems.error(
                "smarthost-loop", place,
                f"the smarthost {smarthost.name} is a host of this fleet: mail would go in circles",
                hint="write outgoing: direct instead, or the provider's server",
            )  # fmt: skip
        if smarthost.host.name.rpartition(".")[2] in _LOOPBACK:
            problems.error(
                "smarthost-loop", place,
                f"{smarthost.host} is a name of this machine or network, not of a smarthost",
                hint="write the host name that the provider gave",
            )  # fmt: skip


def _as_name(host: Host) -> Domain | None:
    try:
        return Domain.parse(host.address)
    except ValueError:
        return None


def check_references(written: WrittenFleet, document: Document, problems: Problems) -> None:
    """Every host and smarthost that a site or the defaults name is there."""
    hosts = [host.name for host in written.hosts]
    smarthosts = [smarthost.name for smarthost in written.smarthosts]
    default = written.spec.defaults.outgoing if written.spec else None
    if default is not None:
        _check_outgoing(
            default, smarthosts, partial(document.place, "defaults", "outgoing"), problems
        )
    for one in written.sites:
        if one.site.host not in hosts:
            _unknown("host", one.site.host, hosts, one.document.place("host"), problems)
        if one.spec.outgoing is not None:
            _check_outgoing(
                one.spec.outgoing, smarthosts, partial(one.document.place, "outgoing"), problems
            )


def warn_of_unused(written: WrittenFleet, document: Document, problems: Problems) -> None:
    """Smarthosts that no site and no default names."""
    used = {one.site.outgoing.smarthost for one in written.sites}
    if written.spec:
        used.add(written.spec.defaults.outgoing)
    for smarthost in written.smarthosts:
        if smarthost.name not in used:
            problems.warn(
                "unused-smarthost", document.key_place("smarthosts", smarthost.name),
                f"nothing uses the smarthost {smarthost.name}",
                hint="delete it, or name it as outgoing",
            )  # fmt: skip


def _check_outgoing(
    text: str, smarthosts: list[str], place: Callable[[], Place], problems: Problems
) -> None:
    if text not in (*smarthosts, "direct", "none"):
        _unknown("smarthost", text, [*smarthosts, "direct", "none"], place(), problems)


def _unknown(kind: str, name: str, known: list[str], place: Place, problems: Problems) -> None:
    import difflib  # noqa: PLC0415 - only a mistake needs it

    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"fleet.yml knows: {', '.join(known) or 'none'}"
    problems.error(f"unknown-{kind}", place, f"there is no {kind} {shown(name)}", hint=hint)
