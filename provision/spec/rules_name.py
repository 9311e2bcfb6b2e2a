"""Rules for domains: one owner each, no site inside of what another site's people trust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provision.model.address import Domain
from provision.spec.domain import mixed_scripts
from provision.spec.problem import Note, Place, Problem, Problems
from provision.spec.written import WrittenFleet, WrittenSite

SERVICE_LABELS = ("webmail", "autoconfig", "autodiscover", "mta-sts")
"""Names below a site's domain that the site itself serves, now or in a later version."""
_LONGEST_SITE = 253 - len("autodiscover.")


@dataclass(frozen=True, slots=True)
class Claim:
    """A domain as a site's file writes it; finding its place may mean to read that file."""

    domain: Domain
    one: WrittenSite
    path: tuple[str | int, ...]

    @property
    def place(self) -> Place:
        """Where it is written."""
        return self.one.document.place(*self.path)


def written_domains(one: WrittenSite) -> Iterator[Claim]:
    """A site's domains and where they are written."""
    yield Claim(one.site.domain, one, ("site",))
    for index, domain in enumerate(one.spec.domain_aliases):
        yield Claim(domain, one, ("domain_aliases", index))


def check_domains(written: WrittenFleet, problems: Problems) -> None:
    """Report domains with two owners, and those that clash with a host's or webmail's name."""
    owners: dict[Domain, Claim] = {}
    for one in written.sites:
        for claim in written_domains(one):
            domain = claim.domain
            if domain in owners:
                _twice(claim, owners[domain], problems)
                continue
            owners[domain] = claim
            if len(domain.name) > _LONGEST_SITE:
                problems.error(
                    "domain-length", claim.place,
                    f"webmail.{domain.name[:20]}... would be longer than a name can be",
                    hint=f"a site's domain has at most {_LONGEST_SITE} characters",
                )  # fmt: skip
    hosts = {host.fqdn: host.name for host in written.hosts}
    inside: dict[Domain, list[Domain]] = {}
    for domain, claim in owners.items():
        _check_against_hosts(claim, hosts, problems)
        parent = _foreign_parent(claim, owners)
        if parent is not None:
            label = domain.name.removesuffix(f".{parent}").rpartition(".")[2]
            if label in SERVICE_LABELS:
                _hijack(domain, f"{label}.{parent}", owners, parent, problems)
            else:
                inside.setdefault(parent, []).append(domain)
    for parent, domains in inside.items():
        problems.warn(
            "domain-inside", owners[domains[0]].place,
            f"{domains[0]}{_and_more(domains)} lies inside of {parent}, a domain of another site",
            hint="fine when both belong together; cookies and policies of one reach the other",
        )  # fmt: skip


def _and_more(domains: list[Domain]) -> str:
    return f" (and {len(domains) - 1} more)" if len(domains) > 1 else ""


def _foreign_parent(claim: Claim, owners: dict[Domain, Claim]) -> Domain | None:
    """The nearest domain above a claimed one that belongs to another site."""
    name = claim.domain.name
    while "." in name:
        name = name.partition(".")[2]
        owner = owners.get(Domain(name))
        if owner is not None:
            return Domain(name) if owner.one is not claim.one else None
    return None


def _check_against_hosts(claim: Claim, hosts: dict[Domain, str], problems: Problems) -> None:
    domain = claim.domain
    claims = [domain]
    if domain == claim.one.site.domain:
        claims += [Domain(f"{label}.{domain}") for label in SERVICE_LABELS]
    for name in claims:
        if name in hosts:
            problems.error(
                "domain-is-host", claim.place,
                f"{name} is the name of the host {hosts[name]} already",
                hint="give the host another fqdn",
            )  # fmt: skip


def _hijack(
    domain: Domain, name: str, owners: dict[Domain, Claim], parent: Domain, problems: Problems
) -> None:
    problems.add(
        Problem(
            "domain-hijack",
            owners[domain].place,
            f"{domain} takes {name}, which serves another site",
            f"the names {', '.join(SERVICE_LABELS)} below {parent} belong to its own site",
            notes=(Note(owners[parent].place, f"{parent} is given here"),),
        )
    )


def _twice(claim: Claim, first: Claim, problems: Problems) -> None:
    problems.add(
        Problem(
            "domain-twice",
            claim.place,
            f"the domain {claim.domain} has an owner already, in {first.place}",
            "a domain belongs to one site",
            notes=(Note(first.place, "first given here"),),
        )
    )


def check_scripts(written: WrittenFleet, problems: Problems) -> None:
    """Warn of international domains that mix scripts, as deceivers do (UTS #39)."""
    for one in written.sites:
        for claim in written_domains(one):
            mixed = mixed_scripts(claim.domain)
            if mixed:
                problems.warn(
                    "mixed-scripts", claim.place, f"{claim.domain} mixes scripts: {mixed}",
                    hint="make sure that this is the domain you mean",
                )  # fmt: skip
