"""The controller remembers whom it has applied to, also when a host has left the fleet."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from provision.apply.audit import last_applies, write_audit
from provision.apply.outcome import HostOutcome
from provision.apply.request import Stamp
from provision.assets import demo_fleet_dir
from provision.cli.main import run
from provision.plan.change import Plan


def _note(folder: Path, when: str, **words: str) -> None:
    outcomes = [HostOutcome(host, word) for host, word in words.items()]
    write_audit(folder, Stamp("ada@desk", when, ""), Plan(()), outcomes)


def test_last_apply_of_each_host_counts_and_only_one_that_was_made(tmp_path: Path) -> None:
    _note(tmp_path, "2026-11-01T00:00:00Z", mail1="applied", mail2="applied")
    _note(tmp_path, "2026-11-02T00:00:00Z", mail1="applied", mail2="refused", mail3="not_started")
    with (tmp_path / ".provision/audit.log").open("a") as log:
        log.write('{"when": "2026-')
    assert last_applies(tmp_path) == {
        "mail1": "2026-11-02T00:00:00Z",
        "mail2": "2026-11-01T00:00:00Z",
    }


def test_nothing_is_remembered_of_a_new_folder(tmp_path: Path) -> None:
    assert last_applies(tmp_path) == {}


def test_status_names_a_host_that_left_the_fleet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ignored = shutil.ignore_patterns(".provision")
    shutil.copytree(demo_fleet_dir(), tmp_path, ignore=ignored, dirs_exist_ok=True)
    spec = (demo_fleet_dir() / "fleet.yml").read_text()
    closed = spec.replace("address: 198.18.0.11", "address: 127.0.0.1\n    ssh: {port: 1}")
    (tmp_path / "fleet.yml").write_text(closed)
    _note(tmp_path, "2026-11-01T00:00:00Z", mail1="applied", mail2="applied")
    run(["status", "-i", str(tmp_path)])
    said = capsys.readouterr().out
    assert "mail2: not in fleet.yml any more, last applied to at 2026-11-01T00:00:00Z" in said
    run(["status", "--host", "mail1", "-i", str(tmp_path)])
    assert "mail2" not in capsys.readouterr().out
