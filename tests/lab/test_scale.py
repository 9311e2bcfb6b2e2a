"""One mailbox more among many: little is sent, little is compiled, nothing is reloaded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.lab.lab import Lab
from tests.bench.large_fleet import site_name, write_large_fleet
from tests.lab.engine_fleet import EngineFleet

pytestmark = pytest.mark.lab

SITES = 40
MOST_SENT = 64 * 1024
NO_CHANGES = "No changes."
UNITS = "postfix dovecot nginx php8.4-fpm"
RECEIVED = "cd /sys/class/net/host0/statistics && cat rx_bytes rx_packets"
HEADERS = 14 + 20 + 32
"""Ethernet, IPv4, TCP with timestamps: what every packet has beside what SSH was given."""
PROGRAM = "/var/lib/provision/program"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineFleet]:
    """A host of forty sites, applied once."""
    folder = tmp_path_factory.mktemp("scale") / "large"
    write_large_fleet(folder, sites=SITES, mailboxes=20)
    lab = Lab.open(folder)
    try:
        lab.up()
        fleet = EngineFleet(lab)
        fleet.provision("apply", "--yes")
        yield fleet
    finally:
        lab.down()


def _add(fleet: EngineFleet, site: int, name: str) -> None:
    hashed = "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$" + "aGFz" * 10 + "aGE"
    line = f"mailboxes:\n  {name}: {{password_hash: '{hashed}'}}\n"
    fleet.edit(f"sites/{site_name(site)}.yml", "mailboxes:\n", line)


def _received(fleet: EngineFleet) -> int:
    """Bytes that came to the host by SSH, of all connections, with the keys' exchange."""
    received, packets = map(int, fleet.on_host(RECEIVED).split())
    return received - packets * HEADERS


def _unit_states(fleet: EngineFleet) -> str:
    """Changes with every start, stop and reload."""
    wanted = "MainPID,StateChangeTimestampMonotonic,ExecMainStartTimestampMonotonic"
    return fleet.on_host(f"systemctl show -p Id,{wanted} {UNITS}")


def test_one_mailbox_more_is_a_small_delta(large: EngineFleet) -> None:
    _add(large, 7, "newcomer")
    large.on_host("touch /run/before; sleep 0.1")
    units, received = _unit_states(large), _received(large)
    ran = large.provision("apply", "--yes", "--format", "json")
    sent = _received(large) - received
    document = json.loads(ran.out)
    assert [outcome["outcome"] for outcome in document["outcomes"]] == ["applied"]
    assert sent <= MOST_SENT, f"{sent} bytes"
    assert _unit_states(large) == units
    changed = large.on_host("cd /etc/dovecot/accounts; find . -type f -newer /run/before").split()
    assert set(changed) == {f"./{site_name(7)}.passwd", "./site0007.test.aliases"}
    maps = large.on_host("cd /etc/postfix/accounts; find . -name '*.cdb' -newer /run/before")
    assert set(maps.split()) == {"./aliases.cdb", "./mailboxes.cdb", "./senders.cdb"}
    found = large.on_host(f"postmap -q newcomer@{site_name(7)} cdb:/etc/postfix/accounts/mailboxes")
    assert found.strip() == "mailbox"
    assert large.provision("plan").out.startswith(NO_CHANGES)


def test_controller_that_knows_nothing_sees_the_same(large: EngineFleet) -> None:
    for path in ("known.json", "cache/outlines"):
        Path(large.folder, ".provision", path).unlink()
    assert large.provision("plan").out.startswith(NO_CHANGES)
    received = _received(large)
    assert large.provision("plan").out.startswith(NO_CHANGES)
    assert _received(large) - received <= MOST_SENT // 2


def test_host_that_has_moved_is_asked_in_full(large: EngineFleet) -> None:
    edited = f"/etc/nginx/provision/webmail-{site_name(3)}.conf"
    large.on_host(f"echo '# by hand' >> {edited}")
    shown = large.provision("plan").out
    assert edited in shown
    assert "-# by hand" in shown
    large.provision("apply", "--yes")
    assert large.provision("plan").out.startswith(NO_CHANGES)
    large.on_host(f"rm {edited}")
    assert edited in large.provision("plan").out
    large.provision("apply", "--yes")


@pytest.mark.parametrize("damage", ["echo x >> {0}/*", "rm {0}/*", "rm -r {0}"])
def test_damaged_program_on_the_host_is_not_run(large: EngineFleet, damage: str) -> None:
    name = re.sub("[^a-z]", "", damage)
    _add(large, 9, name)
    large.on_host(damage.format(PROGRAM))
    large.provision("apply", "--yes")
    assert large.provision("plan").out.startswith(NO_CHANGES)


def test_mailbox_that_leaves_and_site_that_leaves_go_with_all_that_was_theirs(
    large: EngineFleet,
) -> None:
    _add(large, 11, "passing")
    large.provision("apply", "--yes")
    path = large.folder / f"sites/{site_name(11)}.yml"
    lines = [line for line in path.read_text().splitlines(keepends=True) if "passing" not in line]
    path.write_text("".join(lines))
    (large.folder / f"sites/{site_name(12)}.yml").unlink()
    large.provision("apply", "--yes", "--allow-removals")
    assert large.provision("plan").out.startswith(NO_CHANGES)
    left = large.on_host(f"ls /etc/dovecot/accounts | grep -c {site_name(12)} || true")
    assert left.strip() == "0"
    found = large.on_host("cat /etc/postfix/accounts/.build/*")
    assert f"passing@{site_name(11)}" not in found
    assert site_name(12) not in found
