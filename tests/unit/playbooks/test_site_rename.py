"""A site that gets another domain keeps every letter and password, wherever it is killed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.provision_account_archive import archives
from ansible.module_utils.provision_account_store import Layout, fingerprints, observe, sites_in
from ansible.module_utils.provision_accounts import apply_delta, compile_all

from tests.unit.playbooks import acme_mail
from tests.unit.playbooks.acme_mail import BOB, REMOVAL, letters
from tests.unit.playbooks.killed_host import faults_of_killed_delta

layout, memory = acme_mail.layout, acme_mail.memory  # fixtures: a host whose bob has two letters

NEW_BOB, NEW_ANNA = "bob@new.example", "anna@new.example"
LETTERS = ["a letter\n", "sent letter"]


def _renamed(**changes: Any) -> dict[str, Any]:
    """acme.example becomes new.example; its old domain stays as an alias of it."""
    old = json.loads(acme_mail.BEFORE["sites"]["acme.example"])
    moved = {**old, "site": "new.example", "domain_aliases": ["acme.example"]}
    for mailbox in moved["mailboxes"]:
        local = mailbox["address"].partition("@")[0]
        mailbox["address"] = f"{local}@new.example"
        mailbox["fingerprint"] = f"hmac:new-{local}"
    return {
        "sites": {"new.example": json.dumps(moved)},
        "removed": ["acme.example"],
        "hashes": {},
        "removal": REMOVAL,
        "moves": {
            NEW_BOB: {"from": BOB, "fingerprint": "hmac:bob"},
            NEW_ANNA: {"from": "anna@acme.example", "fingerprint": "hmac:anna"},
        },
        **changes,
    }


def test_renamed_site_keeps_folders_mail_and_passwords(layout: Layout) -> None:
    home = Path(layout.mail, "acme.example/bob")
    inode = home.stat().st_ino
    result = apply_delta(layout, _renamed())
    assert len(result["renamed"]) == 2
    assert (result["archived"], archives(layout)) == ([], [])
    new = Path(layout.mail, "new.example/bob")
    assert (new.stat().st_ino, new.is_symlink()) == (inode, False)
    assert letters(layout, "new.example/bob") == LETTERS
    assert fingerprints(layout, "new.example") == {
        NEW_BOB: "hmac:new-bob",
        NEW_ANNA: "hmac:new-anna",
    }
    for gone in (home.parent, layout.credentials("acme.example"), layout.document("acme.example")):
        assert not os.path.lexists(gone), gone
    assert observe(layout)["damage"] == []


def test_who_does_not_come_along_is_archived(layout: Layout) -> None:
    request = _renamed()
    site = json.loads(request["sites"]["new.example"])
    site["mailboxes"] = [m for m in site["mailboxes"] if m["address"] == NEW_ANNA]
    apply_delta(layout, {**request, "sites": {"new.example": json.dumps(site)}})
    assert [record["address"] for record in archives(layout)] == [BOB]
    assert letters(layout, ".archive") == LETTERS


def _faults(layout: Layout) -> list[str]:
    """What a sender or a person would notice right now."""
    faults = [] if letters(layout) == LETTERS else [f"letters: {letters(layout)}"]
    known = {
        line.partition(":")[0]
        for path in Path(layout.dovecot).glob("*.passwd")
        for line in path.read_text().splitlines()
    }
    lines = Path(layout.postfix, "mailboxes.cdb").read_text().splitlines()
    for address in {line.partition(" ")[0] for line in lines}:
        local, _, site = address.partition("@")
        if address not in known:
            faults.append(f"{address} is accepted and unknown")
        if not Path(layout.mail, site, local).is_dir():
            faults.append(f"{address} is accepted and has no folder")
        if local == "bob" and not list(Path(layout.mail, site, local).rglob("1.M1*")):
            faults.append(f"{address} is there without his mail")
    return faults


def test_killed_at_any_step_no_letter_is_lost_and_the_next_apply_ends_it(layout: Layout) -> None:
    steps, faults = faults_of_killed_delta(
        layout, _renamed(), _faults, is_mended=lambda step: step % 2 == 1
    )
    assert steps > 30
    assert faults == []


@pytest.mark.parametrize("mended", [False, True])
def test_killed_between_name_and_content_of_the_document_it_is_still_the_old_site(
    layout: Layout, *, mended: bool
) -> None:
    """What a plan sees then is a document to update, and no site to remove."""
    moves = {NEW_BOB: BOB, NEW_ANNA: "anna@acme.example"}
    transition = {"leaving": {}, "moves": moves}
    Path(layout.store, "transition.json").write_text(json.dumps(transition))
    Path(layout.document("acme.example")).rename(layout.document("new.example"))
    if mended:
        compile_all(layout)
        assert _faults(layout) == []
    apply_delta(layout, {**_renamed(), "removed": ["acme.example"] if mended else []})
    assert _faults(layout) == []
    assert letters(layout, "new.example/bob") == LETTERS
    assert set(fingerprints(layout, "new.example")) == {NEW_BOB, NEW_ANNA}
    assert sites_in(layout) == ["new.example"]
