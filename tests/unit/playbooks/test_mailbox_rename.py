"""A mailbox that gets another name keeps mail, password and folder, and covers no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible.module_utils.provision_account_archive import archives
from ansible.module_utils.provision_account_store import Layout, fingerprints
from ansible.module_utils.provision_account_tables import InvalidAccounts
from ansible.module_utils.provision_accounts import apply_delta

from tests.unit.playbooks import acme_mail
from tests.unit.playbooks.acme_mail import (
    BOB,
    OTHER_HASH,
    OUTSIDE_ALIAS,
    RENAMED,
    ROBERT,
    accepted,
    deliver,
    delta_of,
    known,
    letters,
    mailbox,
)

layout, memory = acme_mail.layout, acme_mail.memory  # fixtures: a host whose bob has two letters


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
        delta_of(mailbox("anna"), mailbox("robert"), moves=RENAMED["moves"], aliases=OUTSIDE_ALIAS),
    )
    assert letters(layout, "acme.example/robert") == ["a letter\n", "sent letter"]
    assert letters(layout, "acme.example/bob") == []
    assert Path(layout.mail, "acme.example/bob").is_dir()


def test_mailbox_that_is_there_already_is_not_covered_by_a_rename(layout: Layout) -> None:
    apply_delta(layout, delta_of(mailbox("anna"), mailbox("bob"), mailbox("robert")))
    deliver(layout, "robert", "new/5.M5.mail1,S=7", "robert's")
    apply_delta(layout, RENAMED)
    assert letters(layout, "acme.example/robert") == ["robert's"]
    assert [record["address"] for record in archives(layout)] == [BOB]
