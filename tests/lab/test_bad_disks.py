"""Full and read-only disks: nothing half done, words that help, and the next apply finishes."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from provision.lab.breakpoint import go_on, set_breakpoint, standing_at
from tests.lab.rehearsal import HOST, Rehearsal
from tests.torture.disks import HARMS, disk_at, heal
from tests.torture.look import look
from tests.torture.mail import faults_of_mail
from tests.torture.stage import Stage, ended, staged, wait_until

pytestmark = pytest.mark.lab

STATE, POSTFIX = "/var/lib/provision", "/etc/postfix"
ROOM = r"make room there, then apply again"


class Case(NamedTuple):
    """A disk that goes bad before a step, and what must come of it."""

    place: str
    harm: str
    before: str
    code: int
    words: str
    is_old: bool = True
    """The host is wholly as before. False: it says what is not, and goes on serving."""


CASES = {
    "full while it stages": Case(STATE, "full", f"write {STATE}/pending.json", 1, ROOM),
    "full before the journal": Case(STATE, "full", f"write {STATE}/journal.json", 1, ROOM),
    "full before the accounts": Case(
        STATE, "full", f"write {STATE}/accounts/intent.json", 7, f"back on its old.*{ROOM}"
    ),
    "full among live files": Case(
        POSTFIX, "full", "write /etc/postfix/master.cf", 7, f"back on its old.*master.cf.*{ROOM}"
    ),
    "full among the account maps": Case(
        POSTFIX, "full", "write /etc/postfix/accounts/.build/aliases", 1,
        f"{ROOM}.*new configuration is in place, the accounts wait", is_old=False,
    ),
    "read-only among live files": Case(
        POSTFIX, "read-only", "write /etc/postfix/master.cf", 7, "master.cf.*read-only.*writable"
    ),
    "read-only with its journal": Case(
        STATE, "read-only", f"link {STATE}/current", 8, "needs a person.*read-only", is_old=False
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def stage(rehearsal: Rehearsal) -> Iterator[Stage]:
    """The rehearsed host between two states; as it was before at the end."""
    with staged(rehearsal) as stage:
        stage.learn()
        yield stage


def _apply_with(stage: Stage, case: Case) -> tuple[int, str]:
    """Apply, and let the disk go bad before the step: exit code and what was said."""
    steps = stage.steps[stage.state]
    number = next(step.number for step in steps if step.name == case.before)
    set_breakpoint(stage.lab, HOST, number)
    with ended(stage.start_apply()) as command:
        wait_until(lambda: standing_at(stage.lab, HOST) is not None, what=case.before)
        HARMS[case.harm](stage.lab, case.place)
        go_on(stage.lab, HOST)
        return command.end()


@pytest.mark.parametrize("name", CASES)
def test_disk_that_goes_bad_leaves_the_old_and_the_next_apply_finishes(
    stage: Stage, name: str
) -> None:
    case, old = CASES[name], stage.state
    stage.ask_for(stage.other)
    with disk_at(stage.lab, case.place, spare=65536):
        code, said = _apply_with(stage, case)
        assert code == case.code, said
        assert re.search(case.words, said, re.DOTALL), said
        assert "Traceback" not in said
        seen = look(stage.lab)
        if case.is_old:
            assert seen.differences(stage.known[old]) == []
            assert seen.unfinished() == []
        assert faults_of_mail(stage.rehearsal, old if case.is_old else None) == []
        heal(stage.lab, case.place)
        stage.apply()
        assert look(stage.lab).differences(stage.known[stage.state]) == []
        assert stage.plan() == ""
    assert look(stage.lab).left == ()


@pytest.mark.parametrize(
    ("place", "spare", "inodes", "words"),
    [
        (STATE, 0, 1000, r"KiB left and this apply may need"),
        (STATE, 600, 1000, r"KiB left and this apply may need"),
        (POSTFIX, 100, 1000, r"KiB left and this apply may need"),
        (STATE, 65536, 20, r"inodes left and this apply may need"),
    ],
)
def test_too_small_a_disk_is_refused_before_anything_changes(
    stage: Stage, place: str, spare: int, inodes: int, words: str
) -> None:
    old = stage.state
    stage.ask_for(stage.other)
    with disk_at(stage.lab, place, spare=spare, inodes=inodes):
        code, said = stage.start_apply().end()
        assert code == 6, said
        assert re.search(f"refused, nothing was changed.*{place}.*{words}", said), said
        seen = look(stage.lab)
        assert seen.differences(stage.known[old]) == []
        assert seen.left == ()
        assert faults_of_mail(stage.rehearsal, old) == []
    stage.ask_for(old)


@contextlib.contextmanager
def _full_disk_over(folder: Path) -> Iterator[None]:
    """A full disk with the content of a folder of this machine, in its place."""
    kept = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    owner = folder.parent / "kept"
    shutil.copytree(folder, owner, symlinks=True)
    size = sum(-(-len(content) // 4096) * 4 + 8 for content in kept.values())
    disk = ["mount", "-t", "tmpfs", "-o", f"size={size}k,mode=0700", "full", str(folder)]
    subprocess.run(disk, check=True)
    try:
        shutil.copytree(owner, folder, symlinks=True, dirs_exist_ok=True)
        with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(owner)


def test_full_disk_of_the_controller_keeps_its_records_whole_and_is_told(stage: Stage) -> None:
    """The host's apply ends well; what could not be written down here is said."""
    local = stage.rehearsal.fleet_dir / ".provision"
    stage.ask_for(stage.other)
    with _full_disk_over(local):
        log = (local / "audit.log").read_text().splitlines()
        code, said = stage.start_apply().end()
        assert code == 0, said
        after = (local / "audit.log").read_text().splitlines()
        assert after[: len(log)] == log
        assert all(json.loads(line) for line in after)
        # A line may still fit into the last page that the log has.
        assert len(after) > len(log) or "this apply is not in" in said
    assert look(stage.lab).differences(stage.known[stage.state]) == []
    assert stage.plan() == ""
