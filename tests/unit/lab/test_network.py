"""A lab knows which hosts its own commands could not reach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provision.assets import demo_fleet_dir
from provision.lab.network import shut_out_of
from provision.model.firewall import Firewall
from provision.spec.load import load_fleet


@pytest.mark.parametrize(
    ("firewall", "expected"),
    [
        (None, []),
        (Firewall(), []),
        (Firewall(("198.18.0.0/24",)), []),
        (Firewall(("192.0.2.0/24", "2001:db8::/32")), ["mail1"]),
    ],
    ids=str,
)
def test_host_that_answers_ssh_elsewhere_only_is_named(
    firewall: Firewall | None, expected: list[str]
) -> None:
    fleet = load_fleet(demo_fleet_dir())
    (host,) = fleet.hosts
    assert shut_out_of(replace(fleet, hosts=(replace(host, firewall=firewall),))) == expected
