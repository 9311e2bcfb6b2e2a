"""A switch ends on the old generation or the new one, wherever it is killed."""

from __future__ import annotations

import os

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

from tests.unit.playbooks.small_host import (
    HOLDER,
    ME,
    NEW,
    OLD,
    asking,
    bring,
    killed_before,
    tree_of,
)


def test_switch_brings_new_files_and_removes_what_left(layout: Layout) -> None:
    first = bring(layout, OLD)
    assert tree_of(layout) == OLD
    second = bring(layout, NEW)
    assert tree_of(layout) == NEW
    assert (first, second, current_manifest(layout)["generation"]) == (1, 2, 2)
    assert (layout.root / "etc/a.conf").stat().st_mode & 0o777 == 0o640
    assert (layout.root / "etc/new").stat().st_mode & 0o777 == 0o750
    assert not layout.journal.exists()


def test_killed_at_any_step_it_is_the_old_or_the_new_after_recovery(layout: Layout) -> None:
    bring(layout, OLD)
    request = asking(NEW, 1)
    stage(layout, 2, request)
    seen = set()
    step = 0
    while killed_before(step, lambda: switch(layout, 2, request)):
        recover(layout)
        tree = tree_of(layout)
        number = current_manifest(layout)["generation"]
        assert (tree, number) in ((OLD, 1), (NEW, 2)), f"mixed after step {step}"
        seen.add(number)
        if number == 2:
            roll_back(layout, 2, 1)
        step += 1
    assert step > 10
    assert 1 in seen
    assert tree_of(layout) == NEW


def test_recovery_that_is_killed_is_finished_by_the_next_one(layout: Layout) -> None:
    bring(layout, OLD)
    request = asking(NEW, 1)
    stage(layout, 2, request)
    assert killed_before(9, lambda: switch(layout, 2, request))
    step = 0
    while killed_before(step, lambda: recover(layout)):
        step += 1
    recover(layout)
    assert (tree_of(layout), current_manifest(layout)["generation"]) == (OLD, 1)
    assert not (layout.root / "etc/new").exists()


def test_first_generation_gives_back_what_the_packages_had_left(layout: Layout) -> None:
    (layout.root / "etc/a.conf").write_bytes(b"debian's\n")
    link(layout.root / "etc/gone.conf", "/etc/a.conf")
    number = bring(layout, OLD)
    roll_back(layout, number, 0)
    assert (layout.root / "etc/a.conf").read_bytes() == b"debian's\n"
    assert (layout.root / "etc/gone.conf").is_symlink()
    assert current_manifest(layout)["generation"] == 0


def test_rolled_back_number_is_not_used_again(layout: Layout) -> None:
    bring(layout, OLD)
    roll_back(layout, bring(layout, NEW), 1)
    assert next_number(layout) == 3


def test_live_files_are_never_links_to_a_generation(layout: Layout) -> None:
    bring(layout, OLD)
    assert all((layout.root / path.lstrip("/")).stat().st_nlink == 1 for path in OLD)


def test_contents_not_sent_are_taken_from_the_live_files(layout: Layout) -> None:
    bring(layout, OLD)
    stage(layout, 2, asking(OLD, 1, blobs={}))
    assert (layout.staged(2) / "etc/a.conf").read_bytes() == b"old a\n"


def test_contents_not_sent_that_have_changed_since_are_refused(layout: Layout) -> None:
    bring(layout, OLD)
    (layout.root / "etc/a.conf").write_bytes(b"by hand\n")
    with pytest.raises(Refused, match=r"/etc/a\.conf has changed"):
        stage(layout, 2, asking(OLD, 1, blobs={}))


def test_plan_for_another_generation_is_stale(layout: Layout) -> None:
    bring(layout, OLD)
    with pytest.raises(Refused, match="made for generation 0, the host has 1"):
        refuse_if_stale(layout, asking(NEW, 0))


def test_plan_is_stale_when_a_file_moved_on(layout: Layout) -> None:
    bring(layout, OLD)
    with pytest.raises(Refused, match=r"/etc/a\.conf has changed"):
        refuse_if_stale(layout, asking(NEW, 1, observed={"/etc/a.conf": None}))


def test_second_apply_is_refused_and_told_who_holds_the_first(layout: Layout) -> None:
    with (
        held(layout, HOLDER),
        pytest.raises(Refused, match=r"tester@here is applying .* since now .*, commit abc"),
        held(layout, HOLDER, seconds=0.1),
    ):
        pass


def test_lock_dies_with_its_holder(layout: Layout) -> None:
    def hold_and_die() -> None:
        with held(layout, HOLDER):
            os._exit(9)

    assert killed_before(10_000, hold_and_die)
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
