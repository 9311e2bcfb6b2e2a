"""Ask every host and compare: the fleet's bundles, states and plan, with those not reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.observe import observe_host, on_each
from provision.hosts.session import Session
from provision.model.bundle import Bundle
from provision.model.fleet import Host
from provision.plan.change import Plan
from provision.plan.diff import diff_host
from provision.plan.request import observation_request
from provision.plan.state import HostState


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found, by host name. ``plan`` covers the hosts that answered."""

    plan: Plan
    states: Mapping[str, HostState]
    failures: Mapping[str, ProvisionError]


def survey(bundles: Mapping[str, Bundle], connection: Connection) -> Survey:
    """Observe the hosts of ``bundles``, all at the same time, and compare."""
    hosts = [bundle.host for bundle in bundles.values()]

    def look(host: Host) -> HostState:
        request = observation_request(bundles[host.name])
        with Session.open(host, connection) as session:
            return observe_host(session, request)

    states, failures = on_each(hosts, look)
    plans = tuple(diff_host(bundles[name], state) for name, state in states.items())
    return Survey(Plan(plans), states, failures)


def bundles_of(bundles: Sequence[Bundle]) -> dict[str, Bundle]:
    """Bundles by host name."""
    return {bundle.host.name: bundle for bundle in bundles}
