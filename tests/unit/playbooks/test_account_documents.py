"""A document that cannot be read is rebuilt, as its plan says, and takes nobody's mail along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.provision_account_archive import archives
from ansible.module_utils.provision_account_edits import edits
from ansible.module_utils.provision_account_intent import finish, intent_path, note
from ansible.module_utils.provision_account_store import Layout, fingerprints, observe
from ansible.module_utils.provision_account_tables import InvalidAccounts
from ansible.module_utils.provision_accounts import apply_delta, compile_all
from ansible.module_utils.provision_serving import known_recipient

from tests.unit.playbooks import acme_mail
from tests.unit.playbooks.acme_mail import BEFORE, BOB, RENAMED, WITHOUT_BOB, letters

layout, memory = acme_mail.layout, acme_mail.memory  # fixtures: a host whose bob has two letters

LETTERS = ["a letter\n", "sent letter"]
WHOLE = BEFORE["sites"]["acme.example"]
DAMAGES = {
    "cut off": WHOLE[:-40],
    "empty": "",
    "a list": "[]",
    "of other keys": '{"site": "acme.example", "people": []}',
    "of other mailboxes": json.dumps({**json.loads(WHOLE), "mailboxes": ["bob"]}),
    "of mailboxes without protocols": WHOLE.replace('"imap"', '"imap4"'),
}
damaged = pytest.mark.parametrize("content", DAMAGES.values(), ids=list(DAMAGES))


def _damage(layout: Layout, content: str) -> None:
    Path(layout.document("acme.example")).write_text(content)


@damaged
def test_unreadable_document_is_rebuilt(layout: Layout, content: str) -> None:
    _damage(layout, content)
    result = apply_delta(layout, {**BEFORE, "hashes": {}})
    assert (result["archived"], letters(layout, "acme.example/bob")) == ([], LETTERS)
    assert observe(layout)["damage"] == []


@damaged
def test_what_was_decided_before_a_power_cut_is_done_all_the_same(
    layout: Layout, content: str
) -> None:
    _damage(layout, content)
    transition = {"leaving": {}, "moves": {"robert@acme.example": BOB}}
    Path(layout.store, "transition.json").write_text(json.dumps(transition))
    note(layout, BEFORE)
    assert finish(layout) == ["acme.example"]
    assert not Path(intent_path(layout)).exists()
    assert observe(layout)["damage"] == []


@pytest.mark.parametrize(("delta", "known"), [(WITHOUT_BOB, True), (acme_mail.WITHOUT_SITE, False)])
def test_who_left_meanwhile_is_archived_like_anybody_else(
    layout: Layout, delta: dict[str, Any], *, known: bool
) -> None:
    _damage(layout, WHOLE[:-40])
    apply_delta(layout, delta)
    (record,) = (record for record in archives(layout) if record["address"] == BOB)
    assert (record["hash"], record["who"]) == (acme_mail.HASH, "ada@desk")
    assert record["keep_until"] - record["removed"] == 3600
    assert letters(layout, ".archive") == LETTERS
    assert set(fingerprints(layout, "acme.example")) == ({"anna@acme.example"} if known else set())


def test_rename_over_an_unreadable_document_loses_no_mail(layout: Layout) -> None:
    _damage(layout, WHOLE[:-40])
    apply_delta(layout, RENAMED)
    assert letters(layout) == LETTERS
    assert [record["address"] for record in archives(layout)] == [BOB]


@damaged
def test_unreadable_document_is_named_where_it_cannot_be_rebuilt(
    layout: Layout, content: str
) -> None:
    _damage(layout, content)
    with pytest.raises(InvalidAccounts, match=r"the document of acme\.example"):
        compile_all(layout)
    assert edits(layout)["broken"]


@damaged
def test_unreadable_document_hinders_no_proof(layout: Layout, content: str) -> None:
    probe = "provision-probe@other.example"
    document = {**json.loads(WHOLE), "site": "other.example"}
    document["mailboxes"] = [{**document["mailboxes"][0], "address": probe}]
    Path(layout.document("other.example")).write_text(json.dumps(document))
    _damage(layout, content)
    assert known_recipient(layout) == probe
