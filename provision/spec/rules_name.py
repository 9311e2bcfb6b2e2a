"""Rules for domains: one owner each, no site inside of what another site's people trust."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model.address import Domain
from provision.spec.domain import mixed_scripts
from provision.spec.problem import Note, Place, Problem, Problems
from provision.spec.written import WrittenFleet, WrittenSite

SERVICE_LABELS = ("webmail", "autoconfig", "autodiscover", "mta-sts")
"""Names below a site's domain that the site itself serves, now or in a later version."""
_LONGEST_SITE = 253 - len("autodiscover.")


def written_domains(one: WrittenSite) -> Iterator[tuple[Domain, Place]]:
    """A site's domains and where they are written."""
    yield one.site.domain, one.document.place("site")
    for index, domain in enumerate(one.spec.domain_aliases):
        yield domain, one.document.place("domain_aliases", index)


def check_domains(written: WrittenFleet, problems: Problems) -> None:
    """Report domains with two owners, and those that clash with a host's or webmail's name."""
    owners: dict[Domain, Place] = {}
    sites: dict[Domain, WrittenSite] = {}
    for one in written.sites:
        for domain, place in written_domains(one):
            if domain in owners:
                _twice(domain, place, first=owners[domain], problems=problems)
                continue
            owners[domain] = place
            sites[domain] = one
            if len(domain.name) > _LONGEST_SITE:
                problems.error(
                    "domain-length", place,
                    f"webmail.{domain.name[:20]}... would be longer than a name can be",
                    hint=f"a site's domain has at most {_LONGEST_SITE} characters",
                )  # fmt: skip
    hosts = {host.fqdn: host.name for host in written.hosts}
    inside: dict[Domain, list[Domain]] = {}
    for domain, one in sites.items():
        _check_against_hosts(domain, one, owners[domain], hosts, problems)
        parent = _foreign_parent(domain, one, sites)
        if parent is not None:
            label = domain.name.removesuffix(f".{parent}").rpartition(".")[2]
            if label in SERVICE_LABELS:
                _hijack(domain, f"{label}.{parent}", owners, parent, problems)
            else:
                inside.setdefault(parent, []).append(domain)
    for parent, domains in inside.items():
        problems.warn(
            "domain-inside", owners[domains[0]],
            f"{domains[0]}{_and_more(domains)} lies inside of {parent}, a domain of another site",
            hint="fine when both belong together; cookies and policies of one reach the other",
        )  # fmt: skip


def _and_more(domains: list[Domain]) -> str:
    return f" (and {len(domains) - 1} more)" if len(domains) > 1 else ""


def _foreign_parent(
    domain: Domain, one: WrittenSite, sites: dict[Domain, WrittenSite]
) -> Domain | None:
    """The nearest domain above ``domain`` that belongs to another site."""
    name = domain.name
    while "." in name:
        name = name.partition(".")[2]
        owner = sites.get(Domain(name))
        if owner is not None:
            return Domain(name) if owner is not one else None
    return None


def _check_against_hosts(
    domain: Domain, one: WrittenSite, place: Place, hosts: dict[Domain, str], problems: Problems
) -> None:
    claims = [domain]
    if domain == one.site.domain:
        claims += [Domain(f"{label}.{domain}") for label in SERVICE_LABELS]
    for claim in claims:
        if claim in hosts:
            problems.error(
                "domain-is-host", place,
                f"{claim} is the name of the host {hosts[claim]} already",
                hint="give the host another fqdn",
            )  # fmt: skip


def _hijack(
    domain: Domain, name: str, owners: dict[Domain, Place], parent: Domain, problems: Problems
) -> None:
    problems.add(
        Problem(
            "domain-hijack",
            owners[domain],
            f"{domain} takes {name}, which serves another site",
            f"the names {', '.join(SERVICE_LABELS)} below {parent} belong to its own site",
            notes=(Note(owners[parent], f"{parent} is given here"),),
        )
    )


def _twice(domain: Domain, place: Place, *, first: Place, problems: Problems) -> None:
    problems.add(
        Problem(
            "domain-twice",
            place,
            f"the domain {domain} has an owner already, in {first}",
            "a domain belongs to one site",
            notes=(Note(first, "first given here"),),
        )
    )


def check_scripts(written: WrittenFleet, problems: Problems) -> None:
    """Warn of international domains that mix scripts, as deceivers do (UTS #39)."""
    for one in written.sites:
        for domain, place in written_domains(one):
            mixed = mixed_scripts(domain)
            if mixed:
                problems.warn(
                    "mixed-scripts", place, f"{domain} mixes scripts: {mixed}",
                    hint="make sure that this is the domain you mean",
                )  # fmt: skip
