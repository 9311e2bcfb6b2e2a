"""The lab's DNS as text: every name of the fleet and of the outside, from the root down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from provision.lab.estate import Estate
from provision.lab.network import (
    CLIENT,
    NAMESERVER,
    OUTSIDE,
    SECOND_CLIENT,
    SMARTHOST,
    WORLD,
)

ISP_NAME = "smtp.yourisp.example"
OUTSIDE_DOMAINS = ("home.example", "partner.example")
OUTSIDE_NAME = "mx.home.example"
WORLD_NAME = "world.lab.example"
_NAMESERVER_NAME = "ns.lab.example"
_TTL = 30
_REVERSE = "0.18.198.in-addr.arpa"


@dataclass(frozen=True, order=True, slots=True)
class Record:
    """One resource record; names are absolute without the last dot, ``data`` is as in a zone."""

    name: str
    kind: str
    data: str


def records(estate: Estate) -> frozenset[Record]:
    """Every record that the lab's world needs, without the zones' own SOA and NS."""
    outside = frozenset(OUTSIDE_DOMAINS) - {d for site in estate.sites for d in site.domains}
    found = _hosts(estate)
    for site in estate.sites:
        found.add(Record(site.webmail, "A", site.machine.address))
        senders = [f"ip4:{site.machine.address}"]
        if any(site.domains[0] in login.senders for login in estate.logins):
            senders.append(f"ip4:{SMARTHOST}")
        for domain in site.domains:
            found |= _mail(domain, exchange=site.machine.fqdn, senders=senders)
    for domain in outside:
        found |= _mail(domain, exchange=OUTSIDE_NAME, senders=[f"ip4:{OUTSIDE}"])
    return frozenset(found)


def zones(found: Iterable[Record]) -> dict[str, str]:
    """Zone name (``.`` for the root) to the text of its zone file, ready for a name server."""
    found = frozenset(found)
    apexes = _apexes(found)
    contents: dict[str, list[Record]] = defaultdict(list)
    for record in found:
        contents[_enclosing(record.name, apexes)].append(record)
    for apex in apexes - {"."}:
        parent = _enclosing(apex.partition(".")[2] or ".", apexes)
        contents[parent].append(Record(apex, "NS", f"{_NAMESERVER_NAME}."))
    return {apex: _text(apex, contents[apex]) for apex in sorted(apexes)}


def reverse_name(address: str) -> str:
    """The name under which an IPv4 address is looked up (RFC 1035 3.5)."""
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def _hosts(estate: Estate) -> set[Record]:
    fixed: Mapping[str, str] = {
        WORLD_NAME: WORLD,
        _NAMESERVER_NAME: NAMESERVER,
        ISP_NAME: SMARTHOST,
        OUTSIDE_NAME: OUTSIDE,
        "client.lab.example": CLIENT,
        "client2.lab.example": SECOND_CLIENT,
    }
    names = {**fixed, **{machine.fqdn: machine.address for machine in estate.machines}}
    found = {Record(name, "A", address) for name, address in names.items()}
    found |= {Record(reverse_name(a), "PTR", f"{name}.") for name, a in names.items()}
    return found | {Record(login.host, "A", SMARTHOST) for login in estate.logins}


def _mail(domain: str, *, exchange: str, senders: list[str]) -> set[Record]:
    return {
        Record(domain, "MX", f"10 {exchange}."),
        Record(domain, "TXT", f'"v=spf1 {" ".join(senders)} -all"'),
    }


def _apexes(found: Iterable[Record]) -> frozenset[str]:
    """Mail domains are zones of their own; other names lie in their parent's zone."""
    found = frozenset(found)
    apexes = {record.name for record in found if record.kind == "MX"} | {".", _REVERSE}
    for record in sorted(found, key=lambda r: r.name.count(".")):
        if _enclosing(record.name, apexes) == ".":
            apexes.add(record.name.partition(".")[2])
    return frozenset(apexes)


def _enclosing(name: str, apexes: Iterable[str]) -> str:
    apexes = frozenset(apexes)
    while name and name not in apexes:
        name = name.partition(".")[2]
    return name or "."


def _text(apex: str, content: list[Record]) -> str:
    lines = [
        f"$TTL {_TTL}",
        f"{_absolute(apex)} SOA {_NAMESERVER_NAME}. hostmaster.lab.example. 1 60 60 3600 {_TTL}",
        f"{_absolute(apex)} NS {_NAMESERVER_NAME}.",
    ]
    if apex == ".":
        lines.append(f"{_NAMESERVER_NAME}. A {NAMESERVER}")  # glue
    lines += [f"{_absolute(r.name)} {r.kind} {r.data}" for r in sorted(content)]
    return "\n".join(dict.fromkeys(lines)) + "\n"


def _absolute(name: str) -> str:
    return name if name == "." else f"{name}."
