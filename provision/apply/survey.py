"""Ask every host and compare: the fleet's states and plan, with those not reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provision.apply.known import Found
from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.observe import Reply, observe, on_each, parse_reply
from provision.hosts.target import Target
from provision.model.bundle import Bundle
from provision.plan.change import Plan
from provision.plan.diff import diff_host
from provision.plan.request import observation_request
from provision.plan.state import HostState
from provision.spec.memory_switch import is_off


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found, by host name. ``plan`` covers the hosts that answered."""

    plan: Plan
    states: Mapping[str, HostState]
    failures: Mapping[str, ProvisionError]
    empty: tuple[Found, ...]
    """What the empty plans among them were made from."""


def survey(
    bundles: Mapping[str, Bundle], connection: Connection, bases: Mapping[str, str]
) -> Survey:
    """Observe the hosts of ``bundles``, all at the same time, and compare.

    ``bases`` are what hosts were asked when nothing differed, as far as that is remembered.
    """
    targets = [connection.target_of(bundle.host) for bundle in bundles.values()]

    requests = {name: observation_request(bundle) for name, bundle in bundles.items()}

    thorough = is_off()

    def reach(target: Target) -> Reply:
        base = bases.get(target.name, "")
        return observe(target, connection, requests[target.name], base, thorough=thorough)

    def read(target: Target, reply: Reply) -> tuple[HostState, Found]:
        state = HostState.parse(parse_reply(target, reply.content))
        _require_release(bundles[target.name], state)
        units, asked = tuple(state.units), requests[target.name]
        return state, Found(target, asked, reply, state.generation, units)

    looked, failures = on_each(targets, reach, read)
    states = {name: state for name, (state, _) in looked.items()}
    plan = Plan(tuple(diff_host(bundles[name], state) for name, state in states.items()))
    quiet = {name for name, state in states.items() if not state.holder and not state.hold}
    # What is remembered is not looked at properly: nobody would be told of a hold, or what stays.
    empty = tuple(
        looked[host.host][1]
        for host in plan.hosts
        if host.is_empty and not host.stays and host.host in quiet
    )
    return Survey(plan, states, failures, empty)


def _require_release(bundle: Bundle, state: HostState) -> None:
    if state.release != bundle.host.release:
        raise ProvisionError(
            f"{bundle.host.name}: the spec says {bundle.host.release},"
            f" but the host runs {state.release}",
            hint="correct `release` in fleet.yml",
        )
