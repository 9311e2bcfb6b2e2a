"""Plan files are private and whole; the fleet's version is that of its contents."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from provision.apply.fleet_version import fleet_version, moves_since
from provision.apply.plan_file import bind, read_plan_file, write_plan_file
from provision.errors import ProvisionError, Refused
from provision.plan.change import HostPlan, Plan
from provision.plan.document import parse_plan_document

PLAN = Plan((HostPlan("mail1", 4),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fleet = tmp_path / "repository" / "fleet"
    (fleet / "sites").mkdir(parents=True)
    (fleet / "fleet.yml").write_text("fleet: x\n")
    (fleet / "sites" / "a.yml").write_text("site: a.example\n")
    return fleet


def _git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@desk.example"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


def test_plan_file_is_private_and_reads_back(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "tonight.plan"
    path.write_text("an older one")
    path.chmod(0o644)
    document = bind(PLAN, folder, ["mail2"])
    write_plan_file(document, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_plan_file(path) == document
    assert {entry.name for entry in tmp_path.iterdir()} == {"repository", "tonight.plan"}


def test_plan_file_that_cannot_be_written_or_read_is_told(folder: Path, tmp_path: Path) -> None:
    document = bind(PLAN, folder, [])
    with pytest.raises(ProvisionError, match="cannot be saved to"):
        write_plan_file(document, tmp_path / "missing" / "plan")
    with pytest.raises(ProvisionError, match="cannot be read"):
        read_plan_file(tmp_path / "missing")


def test_plan_goes_into_a_pipe_and_the_pipe_stays(folder: Path, tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "stdout"
    os.mkfifo(pipe)
    link.symlink_to(pipe)  # as /dev/stdout and /dev/fd/63 are
    document = bind(PLAN, folder, [])
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    for path in (pipe, link):
        write_plan_file(document, path)
        assert parse_plan_document(os.read(reader, 2**16)) == document
    os.close(reader)
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_plan_replaces_no_device_and_no_link(folder: Path, tmp_path: Path) -> None:
    document, link = bind(PLAN, folder, []), tmp_path / "latest.plan"
    link.symlink_to(folder / "fleet.yml")
    with pytest.raises(ProvisionError, match="it is a link: name its file"):
        write_plan_file(document, link)
    assert (folder / "fleet.yml").read_text() == "fleet: x\n"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "door"))
        with pytest.raises(ProvisionError, match="neither a file nor a pipe"):
            write_plan_file(document, tmp_path / "door")
    assert link.is_symlink()
    assert (tmp_path / "door").is_socket()


def test_file_that_is_no_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text("fleet: x\n")
    with pytest.raises(Refused, match="not a plan"):
        read_plan_file(path)


def test_version_moves_with_the_contents_that_a_spec_is_made_of(folder: Path) -> None:
    before = fleet_version(folder).digest
    (folder / "tonight.plan").write_text("{}")
    (folder / ".provision").mkdir()
    (folder / ".provision" / "known.json").write_text("{}")
    assert fleet_version(folder).digest == before
    (folder / "sites" / "a.yml").rename(folder / "sites" / "b.yml")
    renamed = fleet_version(folder).digest
    assert renamed != before
    (folder / "fleet.yml").write_text("fleet: y\n")
    assert fleet_version(folder).digest not in {before, renamed}


def test_version_outside_of_git_has_no_commit(folder: Path) -> None:
    version = fleet_version(folder)
    assert (version.commit, version.dirty) == ("", False)


def test_version_names_the_commit_and_whether_the_folder_has_changes(folder: Path) -> None:
    _git(folder.parent, "init", "-q")
    _git(folder.parent, "add", "-A")
    _git(folder.parent, "commit", "-qm", "first")
    clean = fleet_version(folder)
    assert len(clean.commit) == 40
    assert not clean.dirty
    (folder.parent / "elsewhere.txt").write_text("not the fleet's\n")
    assert not fleet_version(folder).dirty
    (folder / "sites" / "new.yml").write_text("site: new.example\n")
    assert fleet_version(folder).dirty


def test_git_tells_who_moved_the_folder_and_which_files(folder: Path) -> None:
    _git(folder.parent, "init", "-q")
    _git(folder.parent, "add", "-A")
    _git(folder.parent, "commit", "-qm", "first")
    before = fleet_version(folder).commit
    (folder / "fleet.yml").write_text("fleet: y\n")
    _git(folder.parent, "commit", "-qam", "Rename the \u202efleet")
    (folder / "sites" / "a.yml").write_text("site: b.example\n")
    lines = list(moves_since(folder, before))
    assert lines[0].startswith("commit ")
    assert lines[0].endswith(" of Ada: Rename the  fleet")
    assert lines[1:] == ["M fleet.yml", "M sites/a.yml"]


def test_version_inside_a_hook_is_that_of_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before a push: git names its repository as seen from the top of it."""
    _git(folder.parent, "init", "-q")
    _git(folder.parent, "add", ".")
    _git(folder.parent, "commit", "-qm", "first")
    outside = fleet_version(folder)
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert outside.commit
    assert fleet_version(folder) == outside


@pytest.mark.parametrize("commit", ["", "--output=/tmp/x", "HEAD", "c0ffee"])
def test_only_a_whole_commit_id_is_handed_to_git(folder: Path, commit: str) -> None:
    assert list(moves_since(folder, commit)) == []
