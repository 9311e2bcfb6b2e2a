"""Hostile files: encodings, links, pipes, several documents, nothing at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from provision.spec import source
from provision.spec.folder import find_site_files
from provision.spec.load import Loaded, read_fleet
from provision.spec.problem import Problems

Read = Callable[..., Loaded]
Write = Callable[..., Path]
SITE = "site: other.example\nhost: mail1\n"

TEXTS: list[tuple[str, bytes, int, int, str]] = [
    ("empty", b"", 1, 1, "is empty"),
    ("only comments", b"# nothing\n# here\n", 1, 1, "is empty"),
    ("only a document marker", b"---\n", 1, 1, "is empty"),
    ("null", b"null\n", 1, 1, "is empty"),
    ("two documents", b"---\nsite: a.example\n---\nsite: b.example\n", 3, 1, "second document"),
    ("utf-16", SITE.encode("utf-16"), 1, 1, "UTF-16"),
    ("latin-1", b"site: a.example\nhost: mail\xe9\n", 2, 11, "byte 0xe9 is not UTF-8"),
    ("nul byte", b"site: a.example\nhost: m\0\n", 2, 8, "a NUL byte"),
    ("carriage return alone", b"site: a.example\rhost: mail1\n", 1, 16, "a carriage return"),
    ("bidi in a comment", "site: a.example\n# \u202e\nhost: mail1\n".encode(), 2, 3, "U+202E"),
    ("byte order mark inside", "site: a.example\n\ufeffhost: x\n".encode(), 2, 1, "U+FEFF"),
    ("next line character", "site: a.example\u0085host: x\n".encode(), 1, 16, "U+0085"),
    ("escape character", b"site: a.example\n\x1b[2J\n", 2, 1, "U+001B"),
    ("tab for indentation", b"site: a.example\nmailboxes:\n\tanna:\n", 3, 1, "not YAML"),
    ("bad indentation", b"site: a.example\nmailboxes:\n  a: {}\n b: {}\n", 4, 2, "not YAML"),
    ("quote not closed", b"site: 'a.example\nhost: mail1\n", 3, 1, "not YAML"),
    ("brace not closed", b"site: a.example\nmailboxes: {a: {}\n", 3, 1, "not YAML"),
    ("colon in text", b"site: a.example\nwebmail: {name: x: y}\n", 2, 18, "not YAML"),
    ("duplicate key", b"site: a.example\nhost: mail1\nsite: b.example\n", 3, 1, "first in line 1"),
    ("a list", b"- site: a.example\n", 1, 1, "takes a mapping"),
    ("a text", b"site\n", 1, 1, "takes a mapping"),
    ("unknown anchor", b"site: *a\nhost: mail1\n", 1, 7, "no anchor"),
    ("yaml directive", b"%YAML 1.2\n---\nsite: a.example\n", 1, 1, "directives"),
    ("tag directive", b"%TAG ! tag:evil,2000:\n---\nsite: !secret x\n", 1, 1, "directives"),
    ("encrypted", b"$ANSIBLE_VAULT;1.1;AES256\n6161\n", 0, 0, "is encrypted"),
    ("300,000 brackets", b"[" * 300_000, 1, 25, "nesting"),
    ("30,000 lists", b"- " * 30_000, 1, 49, "nesting"),
    ("30,000 question marks", b"? " * 30_000, 1, 3, "plain text"),
    ("list as key", b"? [a]\n: b\n", 1, 3, "plain text"),
    ("alias as key", b"site: &a x\n*a : b\n", 2, 1, "not an alias"),
    ("unfinished tag", b"site: !<x\n", 1, 10, "not YAML"),
    ("surrogate escape", b'site: "\\ud800"\n', 1, 10, "not YAML"),
]


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case[0])
def test_file_is_refused_where_it_is_wrong(
    case: tuple[str, bytes, int, int, str], read: Read
) -> None:
    _, content, line, column, says = case
    loaded = read({"sites/other.yml": content})
    found = [problem for problem in loaded.problems if problem.place.file == "sites/other.yml"]
    assert [(p.place.line, p.place.column) for p in found if says in p.message] == [(line, column)]
    assert all(problem.hint for problem in found)
    assert loaded.fleet is None


def test_billion_laughs_are_bounded(read: Read) -> None:
    lines = ["x-a: &a0 [lol, lol]"]
    lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    loaded = read({"sites/other.yml": "\n".join([*lines, SITE])})
    assert [p.message for p in loaded.problems if p.code == "alias"] == [
        "aliases stand for more than 10000 values in this file"
    ]


def test_anchors_in_reason_are_carried_through(read: Read) -> None:
    site = SITE + "mailboxes:\n  a: &m {quota: 1G}\n  b: *m\n"
    fleet = read({"sites/other.yml": site}).fleet
    assert fleet is not None
    assert {str(m.local): str(m.quota) for m in fleet.sites[1].mailboxes} == {"a": "1G", "b": "1G"}


def test_windows_line_ends_and_a_byte_order_mark_are_read(read: Read) -> None:
    content = b"\xef\xbb\xbf" + SITE.replace("\n", "\r\n").encode()
    fleet = read({"sites/other.yml": content}).fleet
    assert fleet is not None
    assert [site.domain.name for site in fleet.sites] == ["acme.example", "other.example"]


def test_link_out_of_the_folder_is_refused(write_fleet: Write, tmp_path: Path) -> None:
    folder = write_fleet({})
    outside = tmp_path / "outside.yml"
    outside.write_text(SITE)
    (folder / "sites" / "other.yml").symlink_to(outside)
    (folder / "sites" / "shadow.yml").symlink_to("/etc/shadow")
    problems = read_fleet(folder).problems
    assert [str(p.place) for p in problems] == ["sites/other.yml", "sites/shadow.yml"]
    assert all("leads out of the fleet folder" in p.message for p in problems)


def test_link_to_a_folder_is_refused(write_fleet: Write, tmp_path: Path) -> None:
    folder = write_fleet({})
    (folder / "sites" / "more").symlink_to(tmp_path)
    (problem,) = read_fleet(folder).problems
    assert "link to a folder" in problem.message


def test_link_that_leads_nowhere_or_to_itself_is_refused(write_fleet: Write) -> None:
    folder = write_fleet({})
    (folder / "sites" / "gone.yml").symlink_to("gone-too.yml")
    (folder / "sites" / "loop.yml").symlink_to("loop.yml")
    codes = [(str(p.place), p.code) for p in read_fleet(folder).problems]
    assert codes == [("sites/gone.yml", "file-missing"), ("sites/loop.yml", "file-unreadable")]


def test_folder_that_cannot_be_listed_is_named_not_left_out() -> None:
    root = Path(tempfile.mkdtemp())
    hidden = root / "sites" / "hidden"
    hidden.mkdir(parents=True)
    for folder, mode in ((root, 0o755), (root / "sites", 0o755), (hidden, 0o000)):
        folder.chmod(mode)
    problems = Problems()
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        assert find_site_files(root, problems) == []
    finally:
        if is_root:
            os.seteuid(0)
        hidden.chmod(0o755)
        shutil.rmtree(root)
    (problem,) = problems.sorted()
    assert problem.message == "cannot list sites/hidden: Permission denied"


def test_pipe_does_not_hang_and_is_refused(write_fleet: Write) -> None:
    folder = write_fleet({})
    os.mkfifo(folder / "sites" / "pipe.yml")
    (problem,) = read_fleet(folder).problems
    assert "not a regular file" in problem.message


def test_other_suffix_is_named_not_ignored(read: Read) -> None:
    loaded = read({"sites/deep/other.yaml": SITE, "sites/UPPER.YML": SITE})
    assert [(str(p.place), p.hint) for p in loaded.problems] == [
        ("sites/UPPER.YML", "rename it to sites/UPPER.yml"),
        ("sites/deep/other.yaml", "rename it to sites/deep/other.yml"),
    ]


def test_editors_files_are_left_alone_and_depth_does_not_matter(read: Read) -> None:
    fleet = read(
        {
            "sites/a/b/c/other.yml": SITE,
            "sites/.#acme.yml": "x",
            "sites/acme.yml~": "x",
            "sites/.hidden/x.yml": "x",
            "sites/README.md": "x",
        }
    ).fleet
    assert fleet is not None
    assert len(fleet.sites) == 2


def test_missing_files_are_problems_never_an_empty_fleet(tmp_path: Path) -> None:
    loaded = read_fleet(tmp_path)
    assert loaded.fleet is None
    assert [(p.place.file, p.code) for p in loaded.problems] == [
        ("fleet.yml", "file-missing"),
        ("secrets.yml", "secrets-file"),
        ("sites", "sites-folder"),
    ]


def test_file_larger_than_the_limit_is_refused(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_FILE_BYTES", 1000)
    loaded = read({"sites/other.yml": SITE + "# " + "x" * 1000})
    assert "larger than the limit" in loaded.problems[0].message
    monkeypatch.setattr(source, "MAX_FILE_BYTES", 100_000)
    monkeypatch.setattr(source, "MAX_FLEET_BYTES", 1000)
    loaded = read({"sites/other.yml": SITE + "# " + "x" * 1000})
    assert "the fleet folder is larger" in loaded.problems[0].message


def test_file_name_that_is_not_text_is_shown_escaped(write_fleet: Write) -> None:
    folder = write_fleet({})
    (folder / "sites" / os.fsdecode(b"bad-\xff.yml")).write_text("site: x\n")
    loaded = read_fleet(folder)
    from provision.spec.report_json import json_report  # noqa: PLC0415
    from provision.spec.report_text import text_report  # noqa: PLC0415

    assert "bad-\\u{DCFF}.yml" in text_report(loaded.problems, loaded.quotes)
    json_report(loaded.problems, loaded.quotes).encode("ascii")
