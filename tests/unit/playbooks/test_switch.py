"""A switch ends on the old generation or the new one, wherever it is killed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.provision_durable import Attributes, Steps, link, parent_of, write
from ansible.module_utils.provision_generation import (
    Refused,
    current_manifest,
    next_number,
    refuse_if_stale,
    stage,
)
from ansible.module_utils.provision_journal import recover, roll_back, switch
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_lock import held
from ansible.module_utils.provision_request import Request, WantedDirectory, WantedFile

ME = Attributes(0o640, str(os.getuid()), str(os.getgid()))
FOLDER = Attributes(0o750, str(os.getuid()), str(os.getgid()))
OLD = {"/etc/a.conf": b"old a\n", "/etc/sub/b.conf": b"old b\n", "/etc/gone.conf": b"leaves\n"}
NEW = {"/etc/a.conf": b"new a\n", "/etc/sub/b.conf": b"new b\n", "/etc/new/c.conf": b"comes\n"}
HOLDER = {"who": "tester@here", "since": "now", "commit": "abc"}


def _request(contents: dict[str, bytes], expected: int, **values: Any) -> Request:
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    standard: dict[str, Any] = {
        "expected_generation": expected,
        "observed": None,
        "files": [
            WantedFile(path, digests[path], ME, secret=False, activations=[])
            for path in sorted(contents)
        ],
        "directories": [WantedDirectory("/etc/new", FOLDER, ours=True)]
        if "/etc/new/c.conf" in contents
        else [],
        "units": [],
        "packages": [],
        "unit_actions": [],
        "accounts": {},
        "meta": {"holder": HOLDER, "plan": ""},
        "blobs": {digests[path]: content for path, content in contents.items()},
    }
    return Request(**{**standard, **values})


def _tree(layout: Layout) -> dict[str, bytes]:
    etc = layout.root / "etc"
    return {
        f"/{path.relative_to(layout.root)}": path.read_bytes()
        for path in sorted(etc.rglob("*"))
        if path.is_file()
    }


def _bring(layout: Layout, contents: dict[str, bytes]) -> int:
    request = _request(contents, current_manifest(layout)["generation"])
    number: int = next_number(layout)
    stage(layout, number, request)
    switch(layout, number, request)
    return number


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path.resolve())
    layout.prepare()
    (layout.root / "etc").mkdir()
    return layout


def _killed_before(step: int, work: Callable[[], object]) -> bool:
    """Run ``work`` in a process that dies before its ``step``-th side effect; True: it died."""
    child = os.fork()
    if child == 0:
        left = [step]

        def count(_name: str) -> None:
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)

        Steps.before = staticmethod(count)
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_switch_brings_new_files_and_removes_what_left(layout: Layout) -> None:
    first = _bring(layout, OLD)
    assert _tree(layout) == OLD
    second = _bring(layout, NEW)
    assert _tree(layout) == NEW
    assert (first, second, current_manifest(layout)["generation"]) == (1, 2, 2)
    assert (layout.root / "etc/a.conf").stat().st_mode & 0o777 == 0o640
    assert (layout.root / "etc/new").stat().st_mode & 0o777 == 0o750
    assert not layout.journal.exists()


def test_killed_at_any_step_it_is_the_old_or_the_new_after_recovery(layout: Layout) -> None:
    _bring(layout, OLD)
    request = _request(NEW, 1)
    stage(layout, 2, request)
    seen = set()
    step = 0
    while _killed_before(step, lambda: switch(layout, 2, request)):
        recover(layout)
        tree = _tree(layout)
        number = current_manifest(layout)["generation"]
        assert (tree, number) in ((OLD, 1), (NEW, 2)), f"mixed after step {step}"
        seen.add(number)
        if number == 2:
            roll_back(layout, 2, 1)
        step += 1
    assert step > 10
    assert 1 in seen
    assert _tree(layout) == NEW


def test_recovery_that_is_killed_is_finished_by_the_next_one(layout: Layout) -> None:
    _bring(layout, OLD)
    request = _request(NEW, 1)
    stage(layout, 2, request)
    assert _killed_before(9, lambda: switch(layout, 2, request))
    step = 0
    while _killed_before(step, lambda: recover(layout)):
        step += 1
    recover(layout)
    assert (_tree(layout), current_manifest(layout)["generation"]) == (OLD, 1)
    assert not (layout.root / "etc/new").exists()


def test_first_generation_gives_back_what_the_packages_had_left(layout: Layout) -> None:
    (layout.root / "etc/a.conf").write_bytes(b"debian's\n")
    link(layout.root / "etc/gone.conf", "/etc/a.conf")
    number = _bring(layout, OLD)
    roll_back(layout, number, 0)
    assert (layout.root / "etc/a.conf").read_bytes() == b"debian's\n"
    assert (layout.root / "etc/gone.conf").is_symlink()
    assert current_manifest(layout)["generation"] == 0


def test_rolled_back_number_is_not_used_again(layout: Layout) -> None:
    _bring(layout, OLD)
    roll_back(layout, _bring(layout, NEW), 1)
    assert next_number(layout) == 3


def test_live_files_are_never_links_to_a_generation(layout: Layout) -> None:
    _bring(layout, OLD)
    assert all((layout.root / path.lstrip("/")).stat().st_nlink == 1 for path in OLD)


def test_contents_not_sent_are_taken_from_the_live_files(layout: Layout) -> None:
    _bring(layout, OLD)
    stage(layout, 2, _request(OLD, 1, blobs={}))
    assert (layout.staged(2) / "etc/a.conf").read_bytes() == b"old a\n"


def test_contents_not_sent_that_have_changed_since_are_refused(layout: Layout) -> None:
    _bring(layout, OLD)
    (layout.root / "etc/a.conf").write_bytes(b"by hand\n")
    with pytest.raises(Refused, match=r"/etc/a\.conf has changed"):
        stage(layout, 2, _request(OLD, 1, blobs={}))


def test_plan_for_another_generation_is_stale(layout: Layout) -> None:
    _bring(layout, OLD)
    with pytest.raises(Refused, match="made for generation 0, the host has 1"):
        refuse_if_stale(layout, _request(NEW, 0))


def test_plan_is_stale_when_a_file_moved_on(layout: Layout) -> None:
    _bring(layout, OLD)
    with pytest.raises(Refused, match=r"/etc/a\.conf has changed"):
        refuse_if_stale(layout, _request(NEW, 1, observed={"/etc/a.conf": None}))


def test_second_apply_is_refused_and_told_who_holds_the_first(layout: Layout) -> None:
    with (
        held(layout, HOLDER),
        pytest.raises(Refused, match=r"tester@here is applying .* since now, commit abc"),
        held(layout, HOLDER, seconds=0.1),
    ):
        pass


def test_lock_dies_with_its_holder(layout: Layout) -> None:
    def hold_and_die() -> None:
        with held(layout, HOLDER):
            os._exit(9)

    assert _killed_before(10_000, hold_and_die)
    with held(layout, HOLDER, seconds=0.1):
        pass


def test_new_secret_is_never_readable_by_others_on_its_way(layout: Layout) -> None:
    modes: list[int] = []

    def look(_name: str) -> None:
        modes.extend(
            path.stat().st_mode & 0o077 for path in (layout.root / "etc").glob(".provision-*")
        )

    Steps.before, original = staticmethod(look), Steps.before
    try:
        attributes = Attributes(0o600, ME.owner, ME.group)
        write(layout.root / "etc/key", b"canary", attributes)
    finally:
        Steps.before = staticmethod(original)
    assert modes
    assert set(modes) == {0}


def test_symlink_in_a_folder_of_another_user_is_not_followed(layout: Layout) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can make a folder of another user")
    folder = layout.root / "etc/mine"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    (folder / "way").symlink_to(layout.root / "etc")
    with (
        pytest.raises(OSError, match=r"symbolic link|Not a directory"),
        parent_of(folder / "way/passwd"),
    ):
        pass
