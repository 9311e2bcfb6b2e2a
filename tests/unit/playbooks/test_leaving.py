"""What leaves with a switch is put back with it, and only what an apply brought is ever removed."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.provision_generation import current_manifest, stage
from ansible.module_utils.provision_journal import recover, roll_back, switch
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_leaving import drop_packages, drop_users
from ansible.module_utils.provision_owned import forget, note_coming, owned
from ansible.module_utils.provision_removal import what_stands_against

from tests.unit.playbooks.small_host import NEW, OLD, asking, bring, killed_before, tree_of


def _has_folder(layout: Layout) -> bool:
    folder: Path = layout.root / "etc/new"
    return folder.is_dir()


def test_folder_that_was_ours_leaves_with_its_files_or_comes_back_with_them(
    layout: Layout,
) -> None:
    bring(layout, NEW)
    request = asking(OLD, 1)
    stage(layout, 2, request)
    step = 0
    while killed_before(step, lambda: switch(layout, 2, request)):
        recover(layout)
        number = current_manifest(layout)["generation"]
        assert (tree_of(layout), number) in ((NEW, 1), (OLD, 2)), f"mixed after step {step}"
        assert _has_folder(layout) == (number == 1)
        if number == 2:
            roll_back(layout, 2, 1)
            assert _has_folder(layout)
        step += 1
    assert step > 10
    assert tree_of(layout) == OLD
    assert not _has_folder(layout)


def test_folder_in_which_somebody_has_something_stays(layout: Layout) -> None:
    bring(layout, NEW)
    theirs = layout.root / "etc/new/theirs"
    theirs.touch()
    bring(layout, OLD)
    assert theirs.exists()


def test_only_what_is_not_there_yet_is_remembered_as_ours(layout: Layout) -> None:
    note_coming(layout, ["dpkg", "no-such-package"], ["root", "no-such-user"])
    note_coming(layout, ["no-such-other"], [])
    assert owned(layout) == {
        "packages": ["no-such-other", "no-such-package"],
        "users": ["no-such-user"],
    }
    forget(layout, "packages", ["no-such-package"])
    assert owned(layout)["packages"] == ["no-such-other"]


def test_what_no_apply_brought_is_not_removed(layout: Layout) -> None:
    assert drop_packages(layout, ["bash"]) == []
    assert drop_users(layout, ["nobody"]) == []
    assert not layout.owned.exists()


def test_package_that_debian_requires_stays() -> None:
    assert what_stands_against(["dpkg"]) == {"dpkg": ["Debian marks it as required"]}
    assert what_stands_against([]) == {}
