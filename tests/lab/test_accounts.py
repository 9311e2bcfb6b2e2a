"""The account compiler on a real host: killed at every step, on a full disk, and undisturbed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.assets import demo_fleet_dir, playbooks_dir
from provision.lab.lab import Lab

pytestmark = pytest.mark.lab

MODULES = "/root/account_modules"
PROGRAM = ("env", "-C", "/root", "python3", "-m", "on_host.account_trials")
TRIALS = Path(__file__).parent / "on_host"


def _put(lab: Lab, path: str, source: Path) -> None:
    lab.run("mail1", ["sh", "-c", 'cat > "$0"', path], stdin=source.read_text())


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One host with postmap(1) and the compiler's modules."""
    folder = tmp_path_factory.mktemp("accounts") / "fleet"
    shutil.copytree(demo_fleet_dir(), folder, ignore=shutil.ignore_patterns(".provision"))
    rehearsal = Lab.open(folder)
    rehearsal.up()
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "postfix-cdb"]
    rehearsal.run("mail1", ["apt-get", "update"])
    rehearsal.run("mail1", ["env", "DEBIAN_FRONTEND=noninteractive", *install])
    rehearsal.run("mail1", ["mkdir", "-p", MODULES, "/root/on_host"])
    modules = playbooks_dir() / "module_utils"
    needed = [modules / f"provision_{name}.py" for name in ("steps", "seen")]
    for source in (*needed, *modules.glob("provision_account*.py")):
        _put(rehearsal, f"{MODULES}/{source.name}", source)
    for source in TRIALS.glob("account_*.py"):
        _put(rehearsal, f"/root/on_host/{source.name}", source)
    yield rehearsal
    rehearsal.down()


def _faults(lab: Lab, mode: str, *, at_least: int) -> list[str]:
    said = lab.run("mail1", [*PROGRAM, MODULES, mode]).stdout
    outcome = json.loads(said.splitlines()[-1])
    assert outcome["trials"] >= at_least, "too few trials to mean anything"
    faults: list[str] = outcome["faults"]
    return faults


def test_compiler_keeps_its_promises(lab: Lab) -> None:
    assert _faults(lab, "promises", at_least=8) == []


def test_kill_at_any_step_loses_no_mail_and_the_next_apply_ends_it(lab: Lab) -> None:
    assert _faults(lab, "kill", at_least=100) == []


def test_full_disk_refuses_nobody_and_the_next_apply_ends_it(lab: Lab) -> None:
    assert _faults(lab, "full", at_least=3) == []
