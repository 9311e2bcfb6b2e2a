"""No broken configuration serves: it is refused before the switch, or the proof goes back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.lab.breakages import BREAKAGES, broken_templates, rounds
from tests.lab.engine_fleet import EngineFleet
from tests.lab.postfix_breakages import REFUSED, ROLLED_BACK
from tests.lab.rehearsal import Rehearsal

pytestmark = pytest.mark.lab

RECIPIENT = "dora@blue.example"
_ONE_BY_ONE = [[name] for name, breakage in BREAKAGES.items() if breakage.code == REFUSED]
_ROUNDS = _ONE_BY_ONE if os.environ.get("PROVISION_TORTURE") else rounds()
_UNDONE = [name for name, breakage in BREAKAGES.items() if breakage.code == ROLLED_BACK]


@pytest.fixture(scope="module")
def engine(rehearsal: Rehearsal) -> Iterator[EngineFleet]:
    """The rehearsed fleet, applied to with templates of ours."""
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
    broken = broken_templates(tmp_path, names)
    ran = engine.provision("apply", "--yes", before=broken, code=REFUSED)
    missed = [name for name in names if BREAKAGES[name].said not in ran.out]
    assert not missed, ran.out
    assert "refused, nothing was changed" in ran.out
    assert _live(engine) == before
    wire.received(RECIPIENT, wire.send_from_world(RECIPIENT))


@pytest.mark.parametrize("name", _UNDONE)
def test_configuration_that_does_not_serve_is_rolled_back(
    engine: EngineFleet, wire: Rehearsal, name: str, tmp_path: Path
) -> None:
    before = _live(engine)
    broken = broken_templates(tmp_path, [name])
    ran = engine.provision("apply", "--yes", before=broken, code=ROLLED_BACK)
    assert BREAKAGES[name].said in ran.out
    assert "is back on its old generation" in ran.out
    assert _live(engine)["content"] == before["content"]
    wire.close()  # sessions that the way back may have ended
    wire.received(RECIPIENT, wire.send_from_world(RECIPIENT))


def test_host_is_as_the_spec_asks_after_all_of_it(engine: EngineFleet) -> None:
    assert engine.provision("plan", "--detailed-exitcode").out.startswith("No changes.")
    assert "Verified:" in engine.provision("verify").out


def _live(engine: EngineFleet) -> dict[str, str]:
    """Everything that an apply could change: files with contents, and with their inodes."""
    trees = "/etc /var/lib/provision/current/ /var/lib/provision/accounts"
    find = f"find {trees} -xdev ! -type d | sort | xargs -d'\\n'"
    units = "systemctl show -p MainPID postfix dovecot nginx php8.4-fpm"
    return {
        "content": engine.on_host(f"{find} sha256sum; {find} stat -c '%n %a %U %G'"),
        "inodes": engine.on_host(f"{find} stat -c '%n %i %y'; {units}"),
    }
