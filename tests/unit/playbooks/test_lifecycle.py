"""A mailbox that leaves is archived with every letter, and comes back with them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible.module_utils.provision_account_archive import (
    archived_addresses,
    archives,
    count_mail,
    mail_of,
)
from ansible.module_utils.provision_account_store import Layout, fingerprints, observe
from ansible.module_utils.provision_account_tables import InvalidAccounts
from ansible.module_utils.provision_accounts import apply_delta
from ansible.module_utils.provision_mailboxes import answer

from tests.unit.playbooks import acme_mail
from tests.unit.playbooks.acme_mail import (
    BEFORE,
    BOB,
    HASH,
    OTHER_HASH,
    OUTSIDE_ALIAS,
    WITHOUT_BOB,
    WITHOUT_SITE,
    accepted,
    deliver,
    delta_of,
    known,
    letters,
    mailbox,
    restore,
)

layout, memory = acme_mail.layout, acme_mail.memory  # fixtures: a host whose bob has two letters


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
    generated = delta_of(mailbox("anna"), mailbox("bob", fingerprint="generated"), hashes={})
    with pytest.raises(InvalidAccounts, match="no password hash"):
        apply_delta(layout, generated)
    apply_delta(layout, BEFORE)
    assert letters(layout, "acme.example/bob") == []
    assert archived_addresses(layout, ["acme.example"]).keys() == {BOB}


def test_alias_that_takes_the_place_of_a_mailbox_gets_none_of_its_mail(layout: Layout) -> None:
    apply_delta(layout, delta_of(mailbox("anna"), aliases=OUTSIDE_ALIAS))
    assert letters(layout, "acme.example/bob") == []
    assert Path(layout.mail, "acme.example/bob").is_dir()
    assert [record["messages"] for record in archives(layout)] == [2]


def test_restore_brings_everything_back_and_leaves_no_archive(layout: Layout) -> None:
    apply_delta(layout, WITHOUT_BOB)
    apply_delta(layout, BEFORE)
    home = Path(layout.mail, "acme.example/bob")
    result = restore(layout)
    assert (result["outcome"], result["messages"], result["password"]) == ("done", 2, True)
    assert (home / "mail/.Sent/cur/2.M2.mail1,S=11,W=12:2,FS").read_text() == "sent letter"
    assert archives(layout) == []
    assert observe(layout)["damage"] == []


def test_restore_needs_the_mailbox_in_the_spec_first(layout: Layout) -> None:
    apply_delta(layout, WITHOUT_BOB)
    assert restore(layout) == {"outcome": "no_mailbox"}
    assert letters(layout, ".archive") == ["a letter\n", "sent letter"]
    assert restore(layout, address="nobody@acme.example") == {"outcome": "no_archive"}


def test_restore_never_covers_mail_and_keeps_what_it_replaces(layout: Layout) -> None:
    apply_delta(layout, WITHOUT_BOB)
    apply_delta(layout, BEFORE)
    deliver(layout, "bob", "new/3.M3.mail1,S=5", "newer")
    assert restore(layout) == {"outcome": "has_mail", "messages": 1, "bytes": 5}
    assert letters(layout, "acme.example/bob") == ["newer"]
    assert restore(layout, replace=True)["replaced"] == {"messages": 1, "bytes": 5}
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
    assert restore(layout)["password"]
    assert OTHER_HASH in Path(layout.dovecot, "acme.example.passwd").read_text()
    apply_delta(layout, WITHOUT_BOB)
    apply_delta(layout, delta_of(mailbox("anna"), mailbox("bob", fingerprint="hmac:new")))
    assert not restore(layout)["password"]
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
