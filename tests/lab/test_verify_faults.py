"""Verify's score: every seeded fault is found and named, and a good host has none."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.lab.issued import bring_certificate
from tests.lab.rehearsal import HOST, Rehearsal
from tests.lab.service_faults import MAIL, WORLD, Seed
from tests.lab.verify_faults import SEEDS

pytestmark = pytest.mark.lab

SITE = "acme.example"
"""One site shows a fault as well as three, in less time."""

_KEPT = {
    MAIL: "etc/postfix etc/dovecot etc/nginx etc/provision etc/resolv.conf var/lib/dpkg/status",
    WORLD: "etc/unbound etc/dovecot",
}


def keep(rehearsal: Rehearsal) -> None:
    """Keep what seeds change, with owners, modes and times."""
    for host, paths in _KEPT.items():
        rehearsal.lab.run(host, ["sh", "-c", f"tar -C / -cpf /root/before.tar {paths}"])


def put_back(rehearsal: Rehearsal, seed: Seed) -> None:
    """Undo a seed; Postfix starts anew also to forget how often we have connected."""
    mended = f"tar -C / -xpf /root/before.tar && {{ {seed.restore}; }}"
    rehearsal.lab.run(seed.on, ["sh", "-c", mended])
    rehearsal.run(
        "systemctl restart dovecot postfix && systemctl start php8.4-fpm"
        " && systemctl reload-or-restart nginx"
    )
    rehearsal.close()  # sessions that a restart has ended


@pytest.fixture(scope="module")
def scored(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """The rehearsed fleet, with what seeds need on the host."""
    for name, days in (("expired", 100), ("ending", 85), ("other", 1)):
        bring_certificate(rehearsal, name, days)
    keep(rehearsal)
    before = _state(rehearsal)
    yield rehearsal
    assert _state(rehearsal) == before, "a seed was not taken back exactly"


@pytest.mark.parametrize("name", SEEDS)
def test_seeded_fault_is_found_and_named(scored: Rehearsal, name: str) -> None:
    seed = SEEDS[name]
    scored.lab.run(seed.on, ["sh", "-c", seed.command])
    try:
        faults = _faults(scored)
    finally:
        put_back(scored, seed)
    missed = {one for one, words in seed.found.items() if not _says(faults, one, words)}
    assert not missed, f"not named: {missed} in {faults}"


def test_thirty_faults_are_scored() -> None:
    assert len(SEEDS) >= 30
    assert len({tuple(seed.found.items()) for seed in SEEDS.values()}) == len(SEEDS)


def test_unreachable_host_is_told_from_a_fault(rehearsal: Rehearsal) -> None:
    rehearsal.lab.unplug(HOST)
    try:
        said = rehearsal.provision("verify", "--format", "json", code=5)
    finally:
        rehearsal.lab.plug(HOST)
    outcomes = json.loads(said)["outcomes"]
    assert [one["verdict"] for one in outcomes] == ["unreachable"]
    assert "no answer" in outcomes[0]["fault"]


def test_nothing_is_found_on_the_good_host_again(scored: Rehearsal) -> None:
    assert "Verified:" in scored.provision("verify")
    scored.provision("plan", "--detailed-exitcode")


def _faults(rehearsal: Rehearsal) -> dict[str, list[str]]:
    """What was found by name, from a run that must end in exit code 4."""
    report = json.loads(rehearsal.provision("verify", "--site", SITE, "--format", "json", code=4))
    found: dict[str, list[str]] = {}
    for one in report["outcomes"]:
        if one["verdict"] == "fault":
            found.setdefault(one["name"], []).append(one["fault"])
    return found


def _says(faults: dict[str, list[str]], name: str, words: str) -> bool:
    return any(words in fault for fault in faults.get(name, ()))


def _state(rehearsal: Rehearsal) -> str:
    """Every kept file with its owner, mode, time and content."""
    find = f"cd / && find {_KEPT[MAIL]}"
    stated = rehearsal.run(f"{find} | sort | xargs -d '\\n' stat -c '%n %U %G %a %Y'")
    return stated + rehearsal.run(f"{find} -type f | sort | xargs -d '\\n' sha256sum")
