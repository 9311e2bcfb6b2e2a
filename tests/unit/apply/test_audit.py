"""The controller remembers whom it has applied to, also when a host has left the fleet."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from provision.apply.audit import last_applies, stamp_now, write_audit
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


def _git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@desk.example"]
    argv = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A fleet folder in a repository that holds other things, too; all is committed."""
    folder = tmp_path / "repository" / "fleet"
    (folder / "sites").mkdir(parents=True)
    (folder / "fleet.yml").write_text("fleet: x\n")
    (folder.parent / "notes.txt").write_text("not the fleet's\n")
    _git(folder.parent, "init", "-q")
    _git(folder.parent, "add", "-A")
    _git(folder.parent, "commit", "-qm", "first")
    return folder


def test_apply_names_its_commit_by_its_hash_also_when_that_is_a_release(fleet: Path) -> None:
    commit = _git(fleet, "rev-parse", "HEAD")[:12]
    assert stamp_now(fleet).commit == commit
    _git(fleet, "tag", "-a", "-m", "A release", "v1.0")
    assert stamp_now(fleet).commit == commit


def test_apply_says_when_the_folder_had_changes_that_were_in_no_commit(fleet: Path) -> None:
    commit = _git(fleet, "rev-parse", "HEAD")[:12]
    (fleet / ".provision").mkdir()
    (fleet / ".provision" / "known.json").write_text("{}")
    (fleet.parent / "notes.txt").write_text("others may do what they like\n")
    assert stamp_now(fleet).commit == commit
    (fleet / "sites" / "new.yml").write_text("site: new.example\n")
    assert stamp_now(fleet).commit == f"{commit}+"


def test_apply_outside_of_git_or_before_the_first_commit_names_none(tmp_path: Path) -> None:
    assert stamp_now(tmp_path).commit == ""
    _git(tmp_path, "init", "-q")
    assert stamp_now(tmp_path).commit == ""
