"""Choose what to verify: hosts and sites by name, each host with the state it should have."""

from __future__ import annotations

from collections.abc import Sequence

from provision.errors import UsageWrong
from provision.model.certificate import Certificates
from provision.model.fleet import Fleet, Site
from provision.render.host import render_host
from provision.verify.target import Target


def choose_targets(
    fleet: Fleet,
    certificates: Certificates,
    *,
    hosts: Sequence[str] = (),
    sites: Sequence[str] = (),
) -> tuple[Target, ...]:
    """The hosts of these names, and those where sites of these names live; no name means all.

    Raises UsageWrong for a name that the fleet does not have.
    """
    _require_known("host", hosts, [host.name for host in fleet.hosts])
    _require_known("site", sites, [site.domain.name for site in fleet.sites])
    chosen = [site for site in fleet.sites if _is_chosen(site, hosts, sites)]
    wanted = set(hosts) | {site.host for site in chosen if sites}
    return tuple(
        Target(
            fleet=fleet,
            host=host,
            sites=tuple(site for site in chosen if site.host == host.name),
            bundle=render_host(fleet, host, certificates),
            certificates=certificates,
        )
        for host in fleet.hosts
        if host.name in wanted or not (hosts or sites)
    )


def _is_chosen(site: Site, hosts: Sequence[str], sites: Sequence[str]) -> bool:
    return not (hosts or sites) or site.domain.name in sites or site.host in hosts


def _require_known(kind: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UsageWrong(
                f"the fleet has no {kind} {name!r}", hint=f"It has: {', '.join(sorted(known))}."
            )
