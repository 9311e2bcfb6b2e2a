"""Generations say what came of them, old ones are forgotten, and replaced edits are kept."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible.module_utils.provision_durable import read_json, write_json
from ansible.module_utils.provision_generation import current_manifest, numbers_in, stage
from ansible.module_utils.provision_journal import switch
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_packages import UNITS, hold_units
from ansible.module_utils.provision_records import prune, record_result
from ansible.module_utils.provision_recover import at_boot, end_interrupted
from ansible.module_utils.provision_replaced import edited_files, keep

from provision.model.bundle import ManagedFile
from provision.render.recovery import SCRIPT, render_recovery
from tests.unit.playbooks.small_host import NEW, OLD, asking, bring, killed_before, tree_of

DAY = 24 * 3600


def _age(layout: Layout, number: int, days: float) -> None:
    path = layout.generation(number) / "meta.json"
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * DAY))
    write_json(path, {**read_json(path), "when": when})


def _bring_aged(layout: Layout, count: int, days: float) -> None:
    for turn in range(count):
        _age(layout, bring(layout, {"/etc/a.conf": f"{days} {turn}\n".encode()}), days)


def test_the_last_ten_are_kept_however_old(layout: Layout) -> None:
    _bring_aged(layout, 13, days=400)
    prune(layout)
    assert numbers_in(layout.generations) == list(range(4, 14))


def test_all_of_the_last_month_are_kept(layout: Layout) -> None:
    _bring_aged(layout, 3, days=31)
    _bring_aged(layout, 12, days=29)
    prune(layout)
    assert numbers_in(layout.generations) == list(range(4, 16))


def test_failed_ones_do_not_push_good_ones_out(layout: Layout) -> None:
    _bring_aged(layout, 2, days=400)
    for number in range(3, 20):
        stage(layout, number, asking(NEW, 2))
        record_result(layout, number, {"outcome": "refused", "message": "broken"})
    prune(layout)
    assert numbers_in(layout.generations) == [1, 2]


def test_the_current_one_is_never_forgotten(layout: Layout) -> None:
    number = bring(layout, OLD)
    record_result(layout, number, {"outcome": "needs_person", "message": ""})
    _age(layout, number, 400)
    prune(layout)
    assert numbers_in(layout.generations) == [number]


def test_replaced_files_go_with_their_generation(layout: Layout) -> None:
    _bring_aged(layout, 12, days=400)
    for number in (1, 12):
        keep(layout, number, ["/etc/a.conf"])
    prune(layout)
    assert numbers_in(layout.replaced) == [12]


def test_only_what_no_generation_left_so_is_an_edit(layout: Layout) -> None:
    bring(layout, OLD)
    (layout.root / "etc/gone.conf").write_bytes(b"by hand\n")
    (layout.root / "etc/new").mkdir()
    (layout.root / "etc/new/c.conf").write_bytes(b"somebody's\n")
    assert edited_files(layout, asking(NEW, 1)) == ["/etc/new/c.conf", "/etc/gone.conf"]


def test_edit_of_a_mode_is_an_edit(layout: Layout) -> None:
    bring(layout, OLD)
    (layout.root / "etc/a.conf").chmod(0o600)
    assert edited_files(layout, asking(OLD, 1)) == ["/etc/a.conf"]


def test_kept_copies_are_readable_by_their_owner_alone(layout: Layout) -> None:
    bring(layout, OLD)
    assert keep(layout, 2, ["/etc/a.conf", "/etc/absent"]) == ["/etc/a.conf"]
    copy = layout.replaced / "2/etc/a.conf"
    assert copy.read_bytes() == OLD["/etc/a.conf"]
    assert copy.stat().st_mode & 0o077 == 0
    assert (layout.replaced / "2").stat().st_mode & 0o077 == 0


def _interrupt(layout: Layout) -> None:
    bring(layout, OLD)
    request = asking(NEW, 1)
    stage(layout, 2, request)
    write_json(layout.pending, [["postfix.service", "reload"]])
    step = 0
    while tree_of(layout) == OLD:  # the first kill that leaves a part
        assert killed_before(step, lambda: switch(layout, 2, request))
        step += 1
    assert layout.journal.exists()
    assert tree_of(layout) != NEW


def test_interrupted_generation_is_remembered_as_such(layout: Layout) -> None:
    _interrupt(layout)
    assert end_interrupted(layout) == (1, 2)
    result = read_json(layout.generation(2) / "result.json")
    assert (result["outcome"], result["message"]) == (
        "interrupted",
        "the switch to generation 2 was interrupted; generation 1 is back",
    )
    assert layout.pending.exists(), "daemons that run must still be proved"
    assert end_interrupted(layout) == ()


def test_boot_ends_the_switch_and_tells_the_audit_log(layout: Layout) -> None:
    _interrupt(layout)
    at_boot(layout)
    assert tree_of(layout) == OLD
    assert not layout.pending.exists(), "every daemon starts with the files after this"
    line = json.loads(layout.audit.read_text().splitlines()[-1])
    assert (line["outcome"], line["generation"]) == ("recovered", 1)


def test_boot_without_an_interrupted_switch_touches_nothing(layout: Layout) -> None:
    bring(layout, OLD)
    assert at_boot(layout) == ""
    assert not layout.audit.exists()
    assert not layout.lock.exists(), "an apply that holds the lock starts this unit"


def test_boot_lets_units_start_for_good_once_the_first_generation_is_kept(layout: Layout) -> None:
    condition = layout.live(str(UNITS)) / "nginx.service.d/provision-first.conf"
    hold_units(["nginx.service"], layout.live(str(UNITS)), layout.root)
    write_json(layout.pending, [])
    at_boot(layout)
    assert condition.exists(), "nothing of ours is there that it could serve with"
    bring(layout, OLD)
    write_json(layout.pending, [])  # cut off before the end
    at_boot(layout)
    assert not condition.parent.exists()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script as it stands on a host, with nothing of ours to import from."""
    file = next(file for file in _files() if file.path == SCRIPT)
    path = tmp_path / "recover.py"
    path.write_bytes(file.content)
    return path


def _files() -> tuple[ManagedFile, ...]:
    return render_recovery(None).files  # type: ignore[arg-type]  # the same on every host


def _run(script: Path, layout: Layout) -> str:
    argv = [sys.executable, "-I", "-B", str(script), str(layout.root)]
    return subprocess.run(argv, check=True, capture_output=True, text=True, cwd="/").stdout


def test_script_on_the_host_ends_an_interrupted_switch_alone(script: Path, layout: Layout) -> None:
    _interrupt(layout)
    assert _run(script, layout) == (
        "the switch to generation 2 was interrupted; generation 1 is back\n"
    )
    assert (tree_of(layout), current_manifest(layout)["generation"]) == (OLD, 1)
    assert _run(script, layout) == ""
