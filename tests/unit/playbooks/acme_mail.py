"""A host with a site whose bob has two letters, and the changes that he goes through.

postmap(1) is stood in for by cp: what Postfix makes of a map is no matter here, and is tried on
real hosts by tests/lab.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.provision_account_store import Layout
from ansible.module_utils.provision_accounts import apply_delta
from ansible.module_utils.provision_mailboxes import answer

HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA"
OTHER_HASH = HASH.replace("aGFzaA", "b3RoZXI")
REMOVAL = {"who": "ada@desk", "commit": "abc123", "keep_seconds": 3600}
BOB, ROBERT = "bob@acme.example", "robert@acme.example"
POSTMAP = '#!/bin/sh\nf="${1#cdb:}"\ncp "$f" "$f.cdb"\n'


def mailbox(local: str, **changes: Any) -> dict[str, Any]:
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


def delta_of(*mailboxes: dict[str, Any], **changes: Any) -> dict[str, Any]:
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


BEFORE = delta_of(mailbox("anna"), mailbox("bob", forward_to=["bob@home.example"]))
WITHOUT_BOB = delta_of(mailbox("anna"))
RENAMED = delta_of(
    mailbox("anna"),
    mailbox("robert"),
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


def new_host(memory: Path, name: str) -> Layout:
    """A host that nobody has an account on, in a folder of this name; one of before is gone."""
    postmap = memory / "postmap"
    postmap.write_text(POSTMAP)
    postmap.chmod(0o755)
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    root = memory / name
    shutil.rmtree(root, ignore_errors=True)
    for path in ("var/lib/provision", "etc/dovecot", "etc/postfix", "var/mail/provision"):
        (root / path).mkdir(parents=True)
    return Layout(str(root), user, group, group, str(postmap), "/nonexistent/doveadm")


@pytest.fixture
def layout(memory: Path) -> Layout:
    """A host whose bob has a letter in two folders."""
    layout = new_host(memory, "host")
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


def restore(layout: Layout, **changes: Any) -> dict[str, Any]:
    standard = {"action": "restore", "address": BOB, "archive": "", "replace": False}
    request = {**standard, "who": "ada@desk", "keep_seconds": 3600, **changes}
    found: dict[str, Any] = answer(layout, request)
    return found
