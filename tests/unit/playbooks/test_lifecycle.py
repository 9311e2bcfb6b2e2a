"""A mailbox that leaves, comes back or gets another name keeps every letter, wherever it is killed.

postmap(1) is stood in for by cp: what Postfix makes of a map is no matter here, and is tried on
real hosts by tests/lab.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.provision_account_archive import (
    archived_addresses,
    archives,
    count_mail,
    mail_of,
)
from ansible.module_utils.provision_account_store import Layout, fingerprints, observe
from ansible.module_utils.provision_account_tables import InvalidAccounts
from ansible.module_utils.provision_accounts import apply_delta, compile_all
from ansible.module_utils.provision_mailboxes import answer

HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA"
OTHER_HASH = HASH.replace("aGFzaA", "b3RoZXI")
REMOVAL = {"who": "ada@desk", "commit": "abc123", "keep_seconds": 3600}
BOB, ROBERT = "bob@acme.example", "robert@acme.example"
CALLS = ("rename", "unlink", "mkdir", "rmdir", "symlink", "fsync", "fchown", "fchmod")
POSTMAP = '#!/bin/sh\nf="${1#cdb:}"\ncp "$f" "$f.cdb"\n'


def _mailbox(local: str, **changes: Any) -> dict[str, Any]:
    return {
        "address": f"{local}@acme.example",
        "name": "",
        "fingerprint": f"hmac:{local}",
        "quota": 4096,
        "imap": True,
        "pop3": True,
        "aliases": [],
        "forward_to": [],
        "forward_keep": True,
        "protect": False,
        **changes,
    }


def _delta(*mailboxes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    site = {
        "site": "acme.example",
        "domain_aliases": [],
        "route": "direct",
        "nexthop": "",
        "mailboxes": list(mailboxes),
        "aliases": changes.pop("aliases", []),
        "catch_all": None,
        "protect": False,
        "version": 1,
    }
    hashes = {
        mailbox["address"]: {"fingerprint": mailbox["fingerprint"], "hash": HASH}
        for mailbox in mailboxes
    }
    standard = {"removed": [], "hashes": hashes, "removal": REMOVAL, "moves": {}}
    return {"sites": {"acme.example": json.dumps(site)}, **standard, **changes}


BEFORE = _delta(_mailbox("anna"), _mailbox("bob", forward_to=["bob@home.example"]))
WITHOUT_BOB = _delta(_mailbox("anna"))
RENAMED = _delta(
    _mailbox("anna"),
    _mailbox("robert"),
    moves={ROBERT: {"from": BOB, "fingerprint": "hmac:bob"}},
    hashes={},
)
WITHOUT_SITE = {"sites": {}, "removed": ["acme.example"], "hashes": {}, "removal": REMOVAL}
OUTSIDE_ALIAS = [{"address": BOB, "targets": ["x@home.example"]}]


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: a kill loses nothing that was written there either."""
    shared = "/dev/shm"
    folder = tempfile.mkdtemp(dir=shared if os.access(shared, os.W_OK) else None)
    yield Path(folder)
    shutil.rmtree(folder)


@pytest.fixture
def layout(memory: Path) -> Layout:
    """A host whose bob has a letter in two folders."""
    postmap = memory / "postmap"
    postmap.write_text(POSTMAP)
    postmap.chmod(0o755)
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    root = memory / "host"
    for path in ("var/lib/provision", "etc/dovecot", "etc/postfix", "var/mail/provision"):
        (root / path).mkdir(parents=True)
    layout = Layout(str(root), user, group, group, str(postmap), "/nonexistent/doveadm")
    apply_delta(layout, BEFORE)
    deliver(layout, "bob", "new/1.M1.mail1,S=9", "a letter\n")
    deliver(layout, "bob", ".Sent/cur/2.M2.mail1,S=11,W=12:2,FS", "sent letter")
    return layout


def deliver(layout: Layout, local: str, name: str, text: str) -> None:
    path = Path(layout.mail, "acme.example", local, "mail", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def letters(layout: Layout, below: str = "") -> list[str]:
    files = (path for path in Path(layout.mail, below).rglob("*M?.mail1*") if path.is_file())
    return sorted(path.read_text() for path in files)


def known(layout: Layout) -> set[str]:
    text = Path(layout.dovecot, "acme.example.passwd").read_text()
    return {line.partition(":")[0] for line in text.splitlines()}


def accepted(layout: Layout) -> set[str]:
    lines = Path(layout.postfix, "mailboxes.cdb").read_text().splitlines()
    return {line.partition(" ")[0] for line in lines}


def _restore(layout: Layout, **changes: Any) -> dict[str, Any]:
    standard = {"action": "restore", "address": BOB, "archive": "", "replace": False}
    request = {**standard, "who": "ada@desk", "keep_seconds": 3600, **changes}
    found: dict[str, Any] = answer(layout, request)
    return found


def test_removed_mailbox_is_locked_and_archived_with_a_record(layout: Layout) -> None:
    result = apply_delta(layout, WITHOUT_BOB)
    assert result["archived"] == [BOB]
    assert (known(layout), accepted(layout)) == ({"anna@acme.example"}, {"anna@acme.example"})
    assert not Path(layout.mail, "acme.example", "bob").exists()
    (record,) = archives(layout)
    assert (record["address"], record["who"], record["commit"]) == (BOB, "ada@desk", "abc123")
    assert (record["messages"], record["bytes"]) == (2, 20)
    assert (record["fingerprint"], record["hash"]) == ("hmac:bob", HASH)
    assert record["account"]["forward_to"] == ["bob@home.example"]
    assert record["account"]["quota"] == 4096
    assert record["keep_until"] - record["removed"] == 3600
    assert letters(layout, f".archive/{record['name']}/home") == ["a letter\n", "sent letter"]


def test_archive_is_readable_by_root_alone(layout: Layout) -> None:
    apply_delta(layout, WITHOUT_BOB)
    folder = Path(layout.mail, ".archive")
    (name,) = (path.name for path in folder.iterdir())
    assert name.endswith(f"Z-{BOB}")
    for path in (folder, folder / name):
        assert (path.stat().st_mode & 0o777, path.stat().st_uid) == (0o700, os.getuid())
    assert (folder / name / "record.json").stat().st_mode & 0o777 == 0o600


def test_removed_site_is_archived_mailbox_by_mailbox(layout: Layout) -> None:
    result = apply_delta(layout, WITHOUT_SITE)
    assert sorted(result["archived"]) == ["anna@acme.example", BOB]
    assert {record["address"]: record["messages"] for record in archives(layout)} == {
        "anna@acme.example": 0,
        BOB: 2,
    }
    assert not Path(layout.credentials("acme.example")).exists()


def test_later_mailbox_of_the_same_name_gets_neither_mail_nor_password(layout: Layout) -> None:
    apply_delta(layout, WITHOUT_BOB)
    assert set(fingerprints(layout, "acme.example")) == {"anna@acme.example"}
    generated = _delta(_mailbox("anna"), _mailbox("bob", fingerprint="generated"), hashes={})
    with pytest.raises(InvalidAccounts, match="no password hash"):
        apply_delta(layout, generated)
    apply_delta(layout, BEFORE)
    assert letters(layout, "acme.example/bob") == []
    assert archived_addresses(layout, ["acme.example"]).keys() == {BOB}


def test_alias_that_takes_the_place_of_a_mailbox_gets_none_of_its_mail(layout: Layout) -> None:
    apply_delta(layout, _delta(_mailbox("anna"), aliases=OUTSIDE_ALIAS))
    assert letters(layout, "acme.example/bob") == []
    assert Path(layout.mail, "acme.example/bob").is_dir()
    assert [record["messages"] for record in archives(layout)] == [2]


def test_restore_brings_everything_back_and_leaves_no_archive(layout: Layout) -> None:
    apply_delta(layout, WITHOUT_BOB)
    apply_delta(layout, BEFORE)
    home = Path(layout.mail, "acme.example/bob")
    result = _restore(layout)
    assert (result["outcome"], result["messages"], result["password"]) == ("done", 2, True)
    assert (home / "mail/.Sent/cur/2.M2.mail1,S=11,W=12:2,FS").read_text() == "sent letter"
    assert archives(layout) == []
    assert observe(layout)["damage"] == []


def test_restore_needs_the_mailbox_in_the_spec_first(layout: Layout) -> None:
    apply_delta(layout, WITHOUT_BOB)
    assert _restore(layout) == {"outcome": "no_mailbox"}
    assert letters(layout, ".archive") == ["a letter\n", "sent letter"]
    assert _restore(layout, address="nobody@acme.example") == {"outcome": "no_archive"}


def test_restore_never_covers_mail_and_keeps_what_it_replaces(layout: Layout) -> None:
    apply_delta(layout, WITHOUT_BOB)
    apply_delta(layout, BEFORE)
    deliver(layout, "bob", "new/3.M3.mail1,S=5", "newer")
    assert _restore(layout) == {"outcome": "has_mail", "messages": 1, "bytes": 5}
    assert letters(layout, "acme.example/bob") == ["newer"]
    assert _restore(layout, replace=True)["replaced"] == {"messages": 1, "bytes": 5}
    assert letters(layout, "acme.example/bob") == ["a letter\n", "sent letter"]
    (record,) = archives(layout)
    assert (record["messages"], letters(layout, ".archive")) == (1, ["newer"])


def test_restore_brings_the_persons_password_back_unless_the_spec_has_another(
    layout: Layout,
) -> None:
    path = Path(layout.credentials("acme.example"))
    held = json.loads(path.read_text())
    held[BOB]["hash"] = OTHER_HASH  # chosen by the person
    path.write_text(json.dumps(held))
    apply_delta(layout, WITHOUT_BOB)
    apply_delta(layout, BEFORE)
    assert OTHER_HASH not in Path(layout.dovecot, "acme.example.passwd").read_text()
    assert _restore(layout)["password"]
    assert OTHER_HASH in Path(layout.dovecot, "acme.example.passwd").read_text()
    apply_delta(layout, WITHOUT_BOB)
    apply_delta(layout, _delta(_mailbox("anna"), _mailbox("bob", fingerprint="hmac:new")))
    assert not _restore(layout)["password"]
    assert fingerprints(layout, "acme.example")[BOB] == "hmac:new"


def test_purge_deletes_the_named_archive_and_no_other(layout: Layout) -> None:
    apply_delta(layout, WITHOUT_SITE)
    names = {record["address"]: record["name"] for record in archives(layout)}
    asked = {"action": "purge", "archives": [names[BOB], "../../../etc", "20260101T000000Z-x@y.z"]}
    assert answer(layout, {**asked, "who": "ada"}) == {"outcome": "done", "purged": [names[BOB]]}
    assert [record["address"] for record in archives(layout)] == ["anna@acme.example"]
    assert letters(layout) == []
    log = Path(layout.at("/var/lib/provision/mailboxes.log")).read_text()
    assert f"purged {names[BOB]}" in log


def test_list_counts_mail_and_shows_no_hash(layout: Layout) -> None:
    apply_delta(layout, WITHOUT_BOB)
    found = answer(layout, {"action": "list"})
    assert [(m["address"], m["messages"]) for m in found["mailboxes"]] == [("anna@acme.example", 0)]
    assert [(a["address"], a["messages"], a["bytes"]) for a in found["archives"]] == [(BOB, 2, 20)]
    assert "ARGON2ID" not in json.dumps(found)


def test_counting_reads_names_and_gives_up_where_it_would_take_long(layout: Layout) -> None:
    deliver(layout, "bob", "new/4.M4.mail1", "no size in its name")
    assert count_mail(f"{layout.mail}/acme.example/bob") == (3, 39)
    assert count_mail(f"{layout.mail}/acme.example/bob", 1) is None
    assert mail_of(layout, ["acme.example"]) == {"anna@acme.example": (0, 0), BOB: (3, 39)}
    assert mail_of(layout, ["acme.example"], 2) == {"anna@acme.example": (0, 0)}


def test_rename_keeps_mail_password_and_folder(layout: Layout) -> None:
    home = Path(layout.mail, "acme.example/bob")
    inode = home.stat().st_ino
    result = apply_delta(layout, RENAMED)
    assert (result["renamed"], result["archived"]) == ([f"{BOB} to {ROBERT}"], [])
    assert not os.path.lexists(home)
    robert = home.with_name("robert")
    assert (robert.stat().st_ino, robert.is_symlink()) == (inode, False)
    assert letters(layout, "acme.example/robert") == ["a letter\n", "sent letter"]
    assert fingerprints(layout, "acme.example")[ROBERT] == "hmac:robert"
    assert accepted(layout) == known(layout) == {"anna@acme.example", ROBERT}
    assert archives(layout) == []


def test_rename_again_is_nothing_to_do(layout: Layout) -> None:
    apply_delta(layout, RENAMED)
    result = apply_delta(layout, RENAMED)
    assert result == {"created": [], "renamed": [], "archived": [], "written": [], "said": []}


def test_rename_with_another_password_needs_its_hash(layout: Layout) -> None:
    moves = {ROBERT: {"from": BOB, "fingerprint": "hmac:changed"}}
    with pytest.raises(InvalidAccounts, match="no password hash"):
        apply_delta(layout, {**RENAMED, "moves": moves})
    hashes = {ROBERT: {"fingerprint": "hmac:robert", "hash": OTHER_HASH}}
    apply_delta(layout, {**RENAMED, "moves": moves, "hashes": hashes})
    assert OTHER_HASH in Path(layout.dovecot, "acme.example.passwd").read_text()


def test_old_name_may_become_an_alias_to_elsewhere(layout: Layout) -> None:
    apply_delta(
        layout,
        _delta(_mailbox("anna"), _mailbox("robert"), moves=RENAMED["moves"], aliases=OUTSIDE_ALIAS),
    )
    assert letters(layout, "acme.example/robert") == ["a letter\n", "sent letter"]
    assert letters(layout, "acme.example/bob") == []
    assert Path(layout.mail, "acme.example/bob").is_dir()


def test_mailbox_that_is_there_already_is_not_covered_by_a_rename(layout: Layout) -> None:
    apply_delta(layout, _delta(_mailbox("anna"), _mailbox("bob"), _mailbox("robert")))
    deliver(layout, "robert", "new/5.M5.mail1,S=7", "robert's")
    apply_delta(layout, RENAMED)
    assert letters(layout, "acme.example/robert") == ["robert's"]
    assert [record["address"] for record in archives(layout)] == [BOB]


def _killed_at(step: int, work: Callable[[], object]) -> bool:
    """Run it in a child that is killed before its system call number ``step``; False: it ended."""
    child = os.fork()
    if child == 0:
        left = [step]

        def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
            def run(*args: Any, **kwargs: Any) -> Any:
                left[0] -= 1
                if left[0] <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **kwargs)

            return run

        for name in CALLS:
            setattr(os, name, deadly(getattr(os, name)))
        subprocess.run = deadly(subprocess.run)
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def _state(layout: Layout) -> dict[str, str]:
    """Every file by its path, with archives and records without their moments."""
    found = {}
    for path in sorted(Path(layout.root).rglob("*")):
        head, mark, tail = str(path).partition(".archive/")
        name = f"{head}{mark}{tail.partition('-')[2]}" if mark else head
        if path.name == "record.json":
            record = json.loads(path.read_text())
            del record["removed"], record["keep_until"]
            found[name] = json.dumps(record, sort_keys=True)
        elif path.name not in {".lock", "compiled.json"}:
            found[name] = _content(path)
    return found


def _content(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    return path.read_text() if path.is_file() else "folder"


def _faults(layout: Layout) -> list[str]:
    """What a sender or a person would notice right now."""
    faults = []
    if letters(layout) != ["a letter\n", "sent letter"]:
        faults.append(f"letters: {letters(layout)}")
    for address in accepted(layout):
        local = address.partition("@")[0]
        if address not in known(layout) and local != "bob":
            faults.append(f"{address} is accepted and unknown")
        # Dovecot makes the folder of an alias that takes a mailbox's place when mail comes first.
        home = Path(layout.mail, "acme.example", local)
        if not home.is_dir() and address in known(layout):
            faults.append(f"{address} is accepted and has no folder")
    if ROBERT in accepted(layout) and letters(layout, "acme.example/robert/mail") == []:
        faults.append("robert is there without his mail")
    return faults


RENAMED_AND_ALIAS = _delta(
    _mailbox("anna"), _mailbox("robert"), moves=RENAMED["moves"], aliases=OUTSIDE_ALIAS
)


@pytest.mark.parametrize(
    ("delta", "ending"),
    [
        (WITHOUT_BOB, "the same delta"),
        (RENAMED, "the same delta"),
        (WITHOUT_BOB, "mended"),
        (RENAMED_AND_ALIAS, "mended"),
    ],
    ids=["removed", "renamed", "removed, mended", "renamed, alias instead, mended"],
)
def test_killed_at_any_step_no_letter_is_lost_and_the_next_apply_ends_it(
    layout: Layout, delta: dict[str, Any], ending: str
) -> None:
    before = f"{layout.root}.before"
    shutil.copytree(layout.root, before, symlinks=True)
    apply_delta(layout, delta)
    wanted, step, faults = _state(layout), 0, []
    while True:
        step += 1
        shutil.rmtree(layout.root)
        shutil.copytree(before, layout.root, symlinks=True)
        killed = _killed_at(step, lambda: apply_delta(layout, delta))
        faults += [f"killed at {step}: {fault}" for fault in _faults(layout)]
        if ending == "mended":
            compile_all(layout)
            faults += [f"mended from {step}: {fault}" for fault in _faults(layout)]
        apply_delta(layout, delta)
        now = _state(layout)
        differing = [n for n in now.keys() | wanted.keys() if now.get(n) != wanted.get(n)]
        faults += [f"healed from {step}: {name}" for name in differing]
        faults += [f"healed from {step}: {mark}" for mark in observe(layout)["damage"]]
        if not killed:
            break
    assert step > 30
    assert faults == []


@pytest.mark.parametrize("replace", [False, True])
def test_killed_restore_or_purge_loses_nothing_that_was_not_asked_for(
    layout: Layout, *, replace: bool
) -> None:
    apply_delta(layout, WITHOUT_BOB)
    apply_delta(layout, BEFORE)
    if replace:
        deliver(layout, "bob", "new/3.M3.mail1,S=5", "newer")
    wanted = sorted(["a letter\n", "sent letter", *(["newer"] if replace else [])])
    before, step = f"{layout.root}.before", 0
    shutil.copytree(layout.root, before, symlinks=True)
    while True:
        step += 1
        shutil.rmtree(layout.root)
        shutil.copytree(before, layout.root, symlinks=True)
        killed = _killed_at(step, lambda: _restore(layout, replace=replace))
        assert letters(layout) == wanted, f"killed at {step}"
        compile_all(layout)
        assert letters(layout) == wanted, f"healed from {step}"
        assert observe(layout)["damage"] == []
        if not killed:
            break
    assert step > 5
    assert letters(layout, "acme.example/bob") == ["a letter\n", "sent letter"]
