"""A firewall as written becomes networks that nft takes: canonical, none inside another."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.model.firewall import EVERYWHERE, Opening
from provision.spec.door_host import FirewallSpec
from provision.spec.firewall_values import parse_network, parse_opening
from provision.spec.resolve_fleet import resolve_firewall
from provision.spec.wrong import WrongError


def _networks(*written: str) -> tuple[str, ...]:
    return resolve_firewall(FirewallSpec.model_validate({"ssh_from": list(written)})).ssh_from


def test_networks_inside_others_are_left_out_and_neighbours_joined() -> None:
    assert _networks("198.18.0.7", "198.18.0.0/24", "198.18.0.0/24") == ("198.18.0.0/24",)
    assert _networks("198.18.0.0/24", "198.18.1.0/24") == ("198.18.0.0/23",)
    assert _networks("2001:DB8:0::/32", "192.0.2.10") == ("192.0.2.10/32", "2001:db8::/32")


def test_left_out_means_from_everywhere() -> None:
    assert resolve_firewall(FirewallSpec.model_validate({})).ssh_from == EVERYWHERE


def test_ports_are_named_once() -> None:
    spec = FirewallSpec.model_validate({"also_open": ["udp/53", "tcp/8080", "udp/53"]})
    assert resolve_firewall(spec).also_open == (Opening("tcp", 8080), Opening("udp", 53))


@given(st.text(max_size=20))
def test_any_text_is_a_port_or_wrong(text: str) -> None:
    try:
        opening = parse_opening(text)
    except WrongError:
        return
    assert str(opening) == text
    assert 0 < opening.port < 65536


@given(st.ip_addresses(), st.integers(0, 32))
def test_any_network_is_itself_or_wrong(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, prefix: int
) -> None:
    text = f"{address}/{prefix}"
    try:
        network = parse_network(text)
    except WrongError:
        return
    assert ipaddress.ip_network(network) == ipaddress.ip_network(text)


@pytest.mark.parametrize("value", [None, True, 10, ["10.0.0.0/8"], "10.0.0.0/8\n", " 10.0.0.1"])
def test_what_is_no_network_is_told_as_that(value: object) -> None:
    with pytest.raises(WrongError):
        parse_network(value)
