"""The rules of one site by itself, and what is left to ask when its fleet is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provision.model.address import Address, Domain
from provision.spec.circles import find_circles, widest
from provision.spec.problem import Problems
from provision.spec.rules_address import (
    PlaceOf,
    Targets,
    check_catch_all,
    check_logins,
    check_roles,
    check_targets,
    check_ways_out,
    entries,
    twice,
)
from provision.spec.rules_circle import MAX_REACH, Directory, bare, check_circles, graph_of
from provision.spec.rules_move import check_site_moves
from provision.spec.written import WrittenSite

Exits = Mapping[str, tuple[str, ...]]
MACHINE = "a machine"
_LONGEST_CHAIN = 50
"""Sites that mail may cross one after the other before it is looked at properly."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the rules of one site must know of its fleet."""

    own: Mapping[Domain, Domain]
    machines: frozenset[Domain]

    def says(self, domain: Domain) -> str:
        """What a domain is here: a site's own domain, MACHINE, or empty for the outside."""
        if domain in self.machines:
            return MACHINE
        owner = self.own.get(domain)
        return owner.name if owner else ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a site is to the others of its fleet; addresses are texts."""

    locals: tuple[str, ...]
    """Local parts that something takes the mail of."""
    abroad: Mapping[str, str]
    """Domains of others that its targets name, and what each was when the rules were asked."""
    crossings: tuple[str, ...]
    """Targets of the spec at other sites of the fleet: they must exist."""
    exits: Exits
    """Local parts whose mail may reach other sites, and where it goes on to there."""
    widest: int
    """The largest number of addresses that one of its own stands for."""


class _AloneTargets(Targets):
    """Takes an address of another site for one that exists, and notes it."""

    def __init__(
        self, site: Domain, around: Around, *, directory: Directory, problems: Problems
    ) -> None:
        super().__init__(around.own, around.machines, directory, problems)
        self._site, self._around = site, around
        self.abroad: dict[str, str] = {}
        self.crossings: set[str] = set()

    def is_known(self, target: Address) -> bool:
        if target.domain != self._site and self.is_ours(target):
            self.crossings.add(str(bare(target)))
            return True
        return super().is_known(target)

    def check(self, target: Address, place: PlaceOf, *path: str | int) -> None:
        if target.domain != self._site:
            self.abroad[target.domain.name] = self._around.says(target.domain)
        super().check(target, place, *path)


def check_alone(one: WrittenSite, around: Around, problems: Problems) -> Standing:
    """Report what is wrong with a site's addresses as far as it can be seen from there."""
    directory: Directory = {}
    for address, entry in entries(one):
        first = directory.setdefault(address, entry)
        if first is not entry:
            twice(address, entry.place(), first.place(), problems)
    check_roles(one, problems)
    check_logins(one, problems)
    targets = _AloneTargets(one.site.domain, around, directory=directory, problems=problems)
    check_targets(directory, targets, problems)
    check_catch_all(one, targets, problems)
    check_ways_out(one, directory, targets, problems)
    check_circles(directory, problems)
    check_site_moves(one, problems)
    graph = graph_of(directory)
    return Standing(
        locals=tuple(address.local for address in directory),
        abroad=targets.abroad,
        crossings=tuple(sorted(targets.crossings)),
        exits=_exits(graph, one.site.domain, around),
        widest=widest(graph, limit=MAX_REACH),
    )


def _exits(
    graph: Mapping[Address, tuple[Address, ...]], site: Domain, around: Around
) -> dict[str, tuple[str, ...]]:
    """Addresses from which mail may cross to another site, with where it arrives there."""
    leads: dict[Address, set[Address]] = {
        address: {t for t in targets if t.domain != site and t.domain in around.own}
        for address, targets in graph.items()
    }
    if not any(leads.values()):
        return {}
    moved = True
    while moved:  # circles within the site are refused, so this ends soon
        moved = False
        for address, targets in graph.items():
            more = {far for target in targets for far in leads.get(target, ())}
            if not more <= leads[address]:
                leads[address] |= more
                moved = True
    return {a.local: tuple(sorted(map(str, far))) for a, far in leads.items() if far}


def fits_together(standings: Mapping[str, Standing], own: Mapping[Domain, Domain]) -> bool:
    """True when every crossing leads to an address that is there, and none goes in circles.

    ``standings`` are by the site's domain. False also means: not certain, look at everything.
    """
    known = {target for standing in standings.values() for target in standing.crossings}
    wanted: dict[str, set[str]] = {}
    for target in known:
        local, _, domain = target.rpartition("@")
        wanted.setdefault(domain, set()).add(local)
    for domain, names in wanted.items():
        standing = standings.get(domain)
        if standing is None or Domain(domain) not in own or not names.issubset(standing.locals):
            return False
    graph = {
        f"{local}@{site}": targets
        for site, standing in standings.items()
        for local, targets in standing.exits.items()
    }
    return not find_circles(graph) and _is_narrow(graph, standings)


def _is_narrow(graph: Mapping[str, tuple[str, ...]], standings: Mapping[str, Standing]) -> bool:
    """True when no address can stand for more than MAX_REACH; the graph has no circles."""
    bounds: dict[str, int] = {}

    def bound(address: str, depth: int = 0) -> int:
        """At least what it stands for: all of its own site's widest, and of those it leads to."""
        if address in bounds:
            return bounds[address]
        standing = standings.get(address.rpartition("@")[2])
        total = standing.widest if standing else 0
        for target in graph.get(address, ()):
            if total > MAX_REACH or depth > _LONGEST_CHAIN:
                return MAX_REACH + 1
            total += 1 + bound(target, depth + 1)
        bounds[address] = total
        return total

    return all(bound(address) <= MAX_REACH for address in graph)
