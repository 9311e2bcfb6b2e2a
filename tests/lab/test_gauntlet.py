"""No broken configuration serves: it is refused before the switch, or the proof goes back.

PROVISION_TORTURE tries those that are refused one by one instead of many at once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.lab.breakages import BREAKAGES, broken, rounds
from tests.lab.engine_fleet import EngineFleet
from tests.lab.issued import bring_certificate
from tests.lab.live_watch import longest_proof, watched
from tests.lab.postfix_breakages import REFUSED, ROLLED_BACK
from tests.lab.rehearsal import Rehearsal, until
from tests.lab.traffic import Log, Traffic, stored

pytestmark = pytest.mark.lab

RECIPIENT = "dora@blue.example"
_ONE_BY_ONE = [[name] for name, breakage in BREAKAGES.items() if breakage.code == REFUSED]
_ROUNDS = _ONE_BY_ONE if os.environ.get("PROVISION_TORTURE") else rounds()
_UNDONE = [name for name, breakage in BREAKAGES.items() if breakage.code == ROLLED_BACK]
_UNDER_WAY = ("Postfix: 451 to all mail", "Dovecot: users files of another name")
"""Mail is sent on while these are tried: one turns it away at the door, one behind it."""
_PEOPLE = [RECIPIENT, "anna@acme.example", "fred@quiet.example", "bob@acme.example"]


@pytest.fixture(scope="module")
def engine(rehearsal: Rehearsal) -> Iterator[EngineFleet]:
    """The rehearsed fleet, applied to with templates of ours."""
    bring_certificate(rehearsal, "expired", 100)
    yield EngineFleet(rehearsal.lab)
    rehearsal.close()


def test_every_breakage_is_in_a_round_or_rolled_back() -> None:
    listed = [name for turn in rounds() for name in turn]
    assert sorted([*listed, *_UNDONE]) == sorted(BREAKAGES)


@pytest.mark.parametrize(
    "names", _ROUNDS, ids=lambda names: f"{names[0]} and {len(names) - 1} more"
)
def test_broken_configuration_is_refused_before_any_live_file_changes(
    engine: EngineFleet, wire: Rehearsal, names: Sequence[str], tmp_path: Path
) -> None:
    before = _live(engine)
    outcome = _outcome(engine, names, tmp_path, REFUSED)
    missed = [name for name in names if not _says(outcome["lines"], BREAKAGES[name].said)]
    assert not missed, outcome
    assert "nothing was changed" in outcome["message"]
    assert _live(engine) == before
    wire.received(RECIPIENT, wire.send_from_world(RECIPIENT))


@pytest.mark.parametrize("name", _UNDONE)
def test_configuration_that_does_not_serve_is_rolled_back(
    engine: EngineFleet, wire: Rehearsal, name: str, tmp_path: Path
) -> None:
    before = _live(engine)
    with watched(wire) as watch:
        outcome = _outcome(engine, [name], tmp_path, ROLLED_BACK)
    assert _says([outcome["message"], *outcome["lines"]], BREAKAGES[name].said), outcome
    assert outcome["lines"], "what the log says about it is told, too"
    assert _live(engine)["content"] == before["content"]
    assert 0 < watch.seconds < longest_proof(engine.events)
    wire.close()  # sessions that the way back may have ended
    wire.received(RECIPIENT, wire.send_from_world(RECIPIENT))


def test_mail_flows_on_while_what_does_not_serve_is_tried(
    engine: EngineFleet, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    """Mail may be put off for as long as it takes; what was taken is there, once, and no bounce."""
    with Traffic(rehearsal, _PEOPLE, RECIPIENT).running() as log:
        for name in _UNDER_WAY:
            _wait_for_mail(log)
            _outcome(engine, [name], tmp_path, ROLLED_BACK)
    assert not [
        what for _when, who, what in log.failures if who.startswith("writer") and ": 5" in what
    ]

    def is_delivered() -> bool:
        rehearsal.run("postqueue -f")
        return log.acknowledged <= set(stored(rehearsal))

    until(is_delivered, "every message that was taken", within=120)
    found = stored(rehearsal)
    assert {mark for mark in log.acknowledged if found[mark] > 1} == set()


def test_damaged_accounts_do_not_keep_a_change_from_the_apply_that_mends_them(
    engine: EngineFleet, wire: Rehearsal
) -> None:
    """A users file of another group fails all its logins (535), a map in pieces all mail (451)."""
    engine.on_host("chgrp root /etc/dovecot/accounts/acme.example.passwd")
    engine.on_host("echo x > /etc/postfix/accounts/aliases.cdb")
    (engine.folder / ".provision/ca/issued/mail1.smartmail.example.pem").unlink()
    ran = engine.provision("apply", "--yes")
    assert "reload dovecot.service" in ran.out
    wire.close()
    wire.received(RECIPIENT, wire.send("anna@acme.example", RECIPIENT))
    assert "Verified:" in engine.provision("verify").out


def test_text_for_people_tells_the_outcome_with_its_findings(
    engine: EngineFleet, tmp_path: Path
) -> None:
    name = "Postfix: size with a bad unit"
    ran = engine.provision("apply", "--yes", before=broken([name], tmp_path), code=REFUSED)
    _, words, told = ran.out.partition("mail1: refused, nothing was changed")
    assert words
    assert BREAKAGES[name].said in told


def test_host_is_as_the_spec_asks_after_all_of_it(engine: EngineFleet) -> None:
    assert engine.provision("plan", "--detailed-exitcode").out.startswith("No changes.")
    assert "Verified:" in engine.provision("verify").out


def _wait_for_mail(log: Log) -> None:
    enough = len(log.acknowledged) + 20
    until(lambda: len(log.acknowledged) > enough, "mail flows")


def _outcome(engine: EngineFleet, names: Sequence[str], folder: Path, code: int) -> Any:
    """How an apply of what is broken so has ended, without the plan: it shows what is broken."""
    ran = engine.provision(
        "apply", "--yes", "--format", "json", before=broken(names, folder), code=code
    )
    (outcome,) = json.loads(ran.out)["outcomes"]
    return outcome


def _says(lines: Sequence[str], words: str) -> bool:
    return any(words in line for line in lines)


def _live(engine: EngineFleet) -> dict[str, str]:
    """Everything that an apply could change: files with contents, and with their inodes."""
    trees = "/etc /var/lib/provision/current/ /var/lib/provision/accounts"
    find = f"find {trees} -xdev ! -type d | sort | xargs -d'\\n'"
    units = "systemctl show -p MainPID postfix dovecot nginx php8.4-fpm"
    return {
        "content": engine.on_host(f"{find} sha256sum; {find} stat -c '%n %a %U %G'"),
        "inodes": engine.on_host(f"{find} stat -c '%n %i %y'; {units}"),
    }
