"""Ask every host and compare: the fleet's states and plan, with those not reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provision.apply.known import Found
from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.observe import observe, on_each, parse_reply
from provision.hosts.target import Target
from provision.model.bundle import Bundle
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
    empty: tuple[Found, ...]
    """What the empty plans among them were made from."""


def survey(bundles: Mapping[str, Bundle], connection: Connection) -> Survey:
    """Observe the hosts of ``bundles``, all at the same time, and compare."""
    targets = [connection.target_of(bundle.host) for bundle in bundles.values()]

    def look(target: Target) -> tuple[HostState, Found]:
        request = observation_request(bundles[target.name])
        reply = observe(target, connection, request)
        state = HostState.parse(parse_reply(target, reply))
        _require_release(bundles[target.name], state)
        return state, Found(target, request, reply, state.generation)

    looked, failures = on_each(targets, look)
    states = {name: state for name, (state, _) in looked.items()}
    plan = Plan(tuple(diff_host(bundles[name], state) for name, state in states.items()))
    quiet = {name for name, state in states.items() if not state.holder and not state.hold}
    # What is remembered is not looked at properly: then nobody would be told of a hold.
    empty = tuple(
        looked[host.host][1] for host in plan.hosts if host.is_empty and host.host in quiet
    )
    return Survey(plan, states, failures, empty)


def _require_release(bundle: Bundle, state: HostState) -> None:
    if state.release != bundle.host.release:
        raise ProvisionError(
            f"{bundle.host.name}: the spec says {bundle.host.release},"
            f" but the host runs {state.release}",
            hint="correct `release` in fleet.yml",
        )
