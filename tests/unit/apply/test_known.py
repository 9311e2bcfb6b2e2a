"""An empty plan is remembered for exactly the inputs that it was made from."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from provision.apply.inputs import Basis, Inputs
from provision.apply.known import Found, remember, still_empty
from provision.hosts.connection import Connection
from provision.hosts.observe import Reply
from provision.hosts.target import Target

CONNECTION = Connection(Path("/nowhere/known_hosts"))


@pytest.fixture
def fleet_dir(tmp_path: Path) -> Path:
    (tmp_path / "sites").mkdir()
    (tmp_path / "fleet.yml").write_text("fleet: a\n")
    (tmp_path / "sites/a.yml").write_text("site: a\n")
    (tmp_path / ".provision/ca").mkdir(parents=True)
    (tmp_path / ".provision/ca/ca.crt").write_text("one")
    return tmp_path


def _digest(fleet_dir: Path, password: Path | None = None) -> str:
    return Inputs(fleet_dir, CONNECTION, password).look().digest()


@pytest.mark.parametrize("name", ["fleet.yml", "sites/a.yml", ".provision/ca/ca.crt"])
def test_any_input_that_changes_makes_it_forget(fleet_dir: Path, name: str) -> None:
    before = _digest(fleet_dir)
    path = fleet_dir / name
    times = path.stat()
    path.write_text("x" * len(path.read_text()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert _digest(fleet_dir) != before


def test_new_file_and_other_vault_password_make_it_forget(fleet_dir: Path, tmp_path: Path) -> None:
    before = _digest(fleet_dir)
    password = tmp_path / ".provision/vault-password"
    password.write_text("one")
    second = _digest(fleet_dir)
    (fleet_dir / "sites/b.yml").write_text("site: b\n")
    assert len({before, second, _digest(fleet_dir)}) == 3


def test_local_state_that_is_no_input_does_not_count(fleet_dir: Path) -> None:
    before = _digest(fleet_dir)
    (fleet_dir / ".provision/audit.log").write_text("line\n")
    (fleet_dir / ".git").mkdir()
    (fleet_dir / ".git/index").write_text("x")
    assert _digest(fleet_dir) == before


def test_what_is_no_file_does_not_count_and_hinders_nobody(fleet_dir: Path) -> None:
    before = _digest(fleet_dir)
    (fleet_dir / ".#fleet.yml").symlink_to("ada@desk.4711")  # an editor's lock
    os.mkfifo(fleet_dir / "pipe")
    assert _digest(fleet_dir) == before
    later = fleet_dir.parent / "later"
    later.write_text("")
    assert not Inputs(fleet_dir, CONNECTION, None).look().is_newer_than(later)


def _marks(fleet_dir: Path, *, after_seconds: float = 60.0) -> str:
    """As somebody sees them who looks later, when every file has settled."""
    look = Inputs(fleet_dir, CONNECTION, None).look()
    return replace(look, moment=look.moment + int(after_seconds * 10**9)).marks()


@pytest.mark.parametrize("name", ["fleet.yml", "sites/a.yml", ".provision/ca/ca.crt"])
def test_change_that_keeps_size_and_times_has_another_mark(fleet_dir: Path, name: str) -> None:
    before = _marks(fleet_dir)
    assert before == _marks(fleet_dir)
    path = fleet_dir / name
    times = path.stat()
    time.sleep(0.02)  # older kernels stamp files of one tick, of up to 10 ms, alike
    path.write_text("x" * len(path.read_text()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert _marks(fleet_dir) not in {before, ""}


def test_file_of_another_name_and_one_that_leaves_have_other_marks(fleet_dir: Path) -> None:
    seen = {_marks(fleet_dir)}
    (fleet_dir / "sites/a.yml").rename(fleet_dir / "sites/b.yml")
    seen.add(_marks(fleet_dir))
    (fleet_dir / "sites/b.yml").unlink()
    seen.add(_marks(fleet_dir))
    assert len(seen - {""}) == 3


@pytest.mark.parametrize("after_seconds", [-3600.0, 0.0, 1.0])
def test_fresh_file_and_a_clock_that_went_back_are_known_by_content_alone(
    fleet_dir: Path, after_seconds: float
) -> None:
    assert _marks(fleet_dir, after_seconds=after_seconds) == ""


def test_nothing_known_means_looking_properly(fleet_dir: Path) -> None:
    assert still_empty(Inputs(fleet_dir, CONNECTION, None), fleet_dir, CONNECTION, ()) is None


def test_what_is_kept_is_private_and_holds_digests_only(fleet_dir: Path) -> None:
    target = Target("mail1", "198.18.0.11", 22, "root")
    remember(
        Basis(_digest(fleet_dir), ""),
        fleet_dir,
        [Found(target, "{}", Reply(b"canary", ""), 3, ())],
        complete=True,
    )
    kept = fleet_dir / ".provision/known.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "canary" not in kept.read_text()


def test_part_of_the_fleet_is_not_taken_for_all_of_it(fleet_dir: Path) -> None:
    target = Target("mail1", "198.18.0.11", 22, "root")
    basis = Basis(_digest(fleet_dir), "")
    remember(basis, fleet_dir, [Found(target, "{}", Reply(b"", ""), 3, ())], complete=False)
    assert still_empty(Inputs(fleet_dir, CONNECTION, None), fleet_dir, CONNECTION, ()) is None
    assert (
        still_empty(Inputs(fleet_dir, CONNECTION, None), fleet_dir, CONNECTION, ("mail2",)) is None
    )
