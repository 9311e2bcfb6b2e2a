"""A full disk, for space or for inodes: the old files again, though it stays full."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible.module_utils.provision_failure import words_of
from ansible.module_utils.provision_generation import Refused, current_manifest, stage
from ansible.module_utils.provision_journal import recover, switch
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_room import refuse_without_room
from ansible.module_utils.provision_steps import Steps

from tests.unit.playbooks.small_host import NEW, OLD, asking, bring, tree_of

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
BIG = 20_000
OLD_BIG = {path: content * BIG for path, content in OLD.items()}
NEW_BIG = {path: content * BIG for path, content in NEW.items()}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Layout]:
    """A host whose disk holds 4 MiB and 300 files."""
    root = tmp_path / "disk"
    root.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=300", "small", root], check=True
    )
    try:
        layout = Layout(root.resolve())
        layout.prepare()
        (root / "etc").mkdir()
        yield layout
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)


def _fill(layout: Layout) -> None:
    with contextlib.suppress(OSError), (layout.root / "filler").open("ab", buffering=0) as filler:
        while True:
            filler.write(b"x" * 4096)


def _take_inodes(layout: Layout) -> None:
    folder = layout.root / "inodes"
    folder.mkdir(exist_ok=True)
    with contextlib.suppress(OSError):
        for number in range(1000):
            (folder / str(number)).touch()


@contextlib.contextmanager
def _filled_before(step: int, fill: Callable[[], None]) -> Iterator[list[int]]:
    """Fill the disk before a step; the list holds how many steps there were."""
    taken, original = [0], Steps.before

    def count(_name: str) -> None:
        taken[0] += 1
        if taken[0] == step:
            fill()

    Steps.before = staticmethod(count)
    try:
        yield taken
    finally:
        Steps.before = staticmethod(original)


def _is_stopped(work: Callable[[], object]) -> bool:
    """Whether the full disk stops it; any other error is one of ours."""
    try:
        work()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return True
    return False


def _make_room(layout: Layout) -> None:
    (layout.root / "filler").unlink(missing_ok=True)
    for path in (layout.root / "inodes").glob("*"):
        path.unlink()


@pytest.mark.parametrize("fill", [_fill, _take_inodes])
def test_full_at_any_step_it_is_the_old_one_again_without_any_room(
    disk: Layout, fill: Callable[[Layout], None]
) -> None:
    bring(disk, OLD_BIG)
    request = asking(NEW_BIG, 1)
    stage(disk, 2, request)
    failed = step = 0
    while True:
        step += 1
        with _filled_before(step, lambda: fill(disk)) as taken:
            failed += _is_stopped(lambda: switch(disk, 2, request))
        recover(disk)
        assert (tree_of(disk), current_manifest(disk)["generation"]) == (OLD_BIG, 1), step
        live = disk.root / "etc/a.conf"
        assert live.stat().st_mode & 0o777 == 0o640
        _make_room(disk)
        if taken[0] < step:
            break
    assert failed >= 5
    switch(disk, 2, request)
    assert tree_of(disk) == NEW_BIG


@pytest.mark.parametrize(("fill", "what"), [(_fill, "KiB left"), (_take_inodes, "inodes left")])
def test_too_little_room_is_seen_before_anything_changes(
    disk: Layout, fill: Callable[[Layout], None], what: str
) -> None:
    bring(disk, OLD_BIG)
    request = asking(NEW_BIG, 1)
    refuse_without_room(disk, request, stages=True)
    fill(disk)
    with pytest.raises(Refused, match=f"{what}.*make room|{what}.*remove files"):
        refuse_without_room(disk, request, stages=True)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "/etc/a: the disk is full .* make room there, then apply again"),
        (errno.EROFS, "/etc/a: the file system is read-only; .* mount it writable again"),
        (errno.EDQUOT, "/etc/a: the disk quota is used up; make room"),
        (errno.EACCES, "PermissionError: .*/etc/a"),
    ],
)
def test_refusals_of_the_system_say_where_and_what_to_do(number: int, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(words_of(OSError(number, os.strerror(number), "/etc/a")))


def test_full_disk_under_a_program_of_others_is_named_as_well() -> None:
    assert "make room" in words_of(OSError("postmap cannot build x: No space left on device"))
