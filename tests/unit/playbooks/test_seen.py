"""Files that have not changed are not read again, and every change is noticed."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible.module_utils import provision_seen
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_seen import Memory, list_of, marks, purpose
from ansible.module_utils.provision_write_seen import write_seen

from tests.unit.playbooks.small_host import NEW, OLD, bring

QUIET = 0.06
"""Seconds in which timestamps certainly move on."""


@pytest.fixture(autouse=True)
def _soon_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provision_seen, "SETTLED", int(QUIET / 2 * 10**9))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are read."""
    found: list[str] = []
    read: Callable[[str], str] = provision_seen._read_digest

    def reading(path: str) -> str:
        found.append(path)
        return read(path)

    monkeypatch.setattr(provision_seen, "_read_digest", reading)
    return found


def _digest(memory: Memory, path: Path) -> str:
    found = memory.look(str(path))
    assert found is not None
    return str(found[1])


def _replace_in_place(path: Path) -> None:
    """Other bytes of the same length, with the old times put back."""
    times = path.stat()
    path.write_bytes(b"x" * times.st_size)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _replace_by_rename(path: Path) -> None:
    beside = path.with_name("beside")
    shutil.copy2(path, beside)
    beside.rename(path)


CHANGES: list[Callable[[Path], object]] = [
    _replace_in_place,
    _replace_by_rename,
    lambda path: path.chmod(0o600),
    lambda path: path.unlink(),
    lambda path: path.with_name("another").write_text("new in the folder"),
]


def test_quiet_file_is_read_once(tmp_path: Path, reads: list[str]) -> None:
    (path := tmp_path / "main.cf").write_text("one")
    time.sleep(QUIET)
    memory = Memory()
    assert _digest(memory, path) == _digest(memory, path)
    assert reads == [str(path)]


def test_file_that_has_just_changed_is_read_each_time(tmp_path: Path, reads: list[str]) -> None:
    (path := tmp_path / "main.cf").write_text("one")
    memory = Memory()
    _digest(memory, path)
    _digest(memory, path)
    assert len(reads) == 2


def test_change_that_hides_size_and_time_is_noticed(tmp_path: Path) -> None:
    (path := tmp_path / "main.cf").write_text("one")
    time.sleep(QUIET)
    memory = Memory()
    before = _digest(memory, path)
    _replace_in_place(path)
    assert _digest(memory, path) != before


def test_file_from_a_clock_that_was_ahead_is_read_each_time(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (path := tmp_path / "main.cf").write_text("one")
    monkeypatch.setattr(time, "time_ns", lambda: path.lstat().st_ctime_ns - 3600 * 10**9)
    memory = Memory()
    _digest(memory, path)
    _digest(memory, path)
    assert len(reads) == 2


def test_what_is_written_down_is_recalled(tmp_path: Path, reads: list[str]) -> None:
    (path := tmp_path / "main.cf").write_text("one")
    time.sleep(QUIET)
    (tmp_path / "digests").write_bytes(Memory().text([str(path), str(tmp_path / "gone")]))
    reads.clear()
    memory = Memory()
    memory.recall(str(tmp_path))
    _digest(memory, path)
    assert reads == []


@pytest.mark.parametrize("damage", [b"", b"torn", b"\xff\xfe\n\n", None])
def test_damaged_notes_are_as_good_as_none(
    tmp_path: Path, reads: list[str], damage: bytes | None
) -> None:
    (path := tmp_path / "main.cf").write_text("one")
    time.sleep(QUIET)
    notes = tmp_path / "digests"
    if damage is None:
        notes.write_bytes(Memory().text([str(path)])[:-3])
    else:
        notes.write_bytes(damage)
    reads.clear()
    memory = Memory()
    memory.recall(str(tmp_path))
    _digest(memory, path)
    assert reads == [str(path)]


def test_symlink_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "main.cf").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic"):
        Memory().look(str(tmp_path / "main.cf"))
    assert Memory().look_at_file(str(tmp_path / "main.cf")) is None


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[], str]:
    """A folder with a file whose marks are listed; returns what their digest is now."""
    (folder := tmp_path / "etc").mkdir()
    (folder / "main.cf").write_text("one")
    paths = [str(folder), str(folder / "main.cf"), str(folder / "never there")]
    (tmp_path / "paths").write_bytes(list_of(paths, "this"))
    time.sleep(QUIET)
    return lambda: marks(str(tmp_path), "this", [str(tmp_path / "other")])


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_moves_the_digest_of_marks(
    tmp_path: Path, listed: Callable[[], str], change: Callable[[Path], object]
) -> None:
    before = listed()
    assert before
    assert listed() == before
    change(tmp_path / "etc/main.cf")
    time.sleep(QUIET)
    assert listed() not in {"", before}


def test_many_paths_are_looked_at_by_two(
    tmp_path: Path, listed: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision_seen, "_MANY", 2)
    before = listed()
    assert before == listed() != ""
    time.sleep(QUIET)
    (tmp_path / "other").touch()  # the last one: the other process has it
    changed = (tmp_path / "other").stat().st_ctime_ns
    with monkeypatch.context() as clock:
        clock.setattr(time, "time_ns", lambda: changed + provision_seen.SETTLED)
        assert listed() == ""
        clock.setattr(time, "time_ns", lambda: changed + provision_seen.SETTLED + 1)
        assert listed() not in {"", before}


def test_what_an_observation_looks_at_besides_counts(
    tmp_path: Path, listed: Callable[[], str]
) -> None:
    before = listed()
    (tmp_path / "other").touch()
    time.sleep(QUIET)
    assert listed() not in {"", before}


def test_just_after_a_change_nothing_is_promised(
    tmp_path: Path, listed: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision_seen, "SETTLED", 3600 * 10**9)
    assert listed() == ""


@pytest.mark.parametrize(
    "content",
    [b"", b"this", b"this\n", list_of(["/etc"], "that"), list_of(["/etc", "/usr"], "this")[:-3]],
)
def test_list_for_something_else_or_torn_promises_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "paths").write_bytes(content)
    assert marks(str(tmp_path), "this", []) == ""


def test_without_a_list_nothing_is_promised(tmp_path: Path) -> None:
    assert marks(str(tmp_path), "this", []) == ""


def test_apply_lists_what_it_manages_for_its_own_generation(layout: Layout) -> None:
    bring(layout, NEW)
    write_seen(layout)
    manifest, compiled = layout.current / "manifest.json", layout.state / "accounts/compiled.json"
    made_for, _seal, names = (layout.state / "seen/paths").read_bytes().split(b"\n", 2)
    assert made_for.decode() == purpose(str(manifest), str(compiled))
    assert {str(layout.live(path)) for path in NEW} <= set(names.decode().split("\0"))
    bring(layout, OLD)
    assert made_for.decode() != purpose(str(manifest), str(compiled))
