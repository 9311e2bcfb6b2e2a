"""A password belongs to one person: it is neither lost on the way nor kept for a namesake."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.provision_account_store import Layout, fingerprints
from ansible.module_utils.provision_account_tables import InvalidAccounts
from ansible.module_utils.provision_accounts import apply_delta, compile_all
from ansible.module_utils.provision_steps import Steps

from tests.unit.playbooks import acme_mail
from tests.unit.playbooks import test_site_rename as site_rename
from tests.unit.playbooks.acme_mail import BEFORE, BOB, RENAMED, ROBERT, delta_of, mailbox

layout, memory = acme_mail.layout, acme_mail.memory  # fixtures: a host with anna and bob

ANNA, CLEO = "anna@acme.example", "cleo@acme.example"
CLEO_TOO = delta_of(
    mailbox("anna"), mailbox("bob"), mailbox("cleo", fingerprint="generated"), hashes={}
)
CLEOS_HASH = {CLEO: {"fingerprint": "generated", "hash": acme_mail.OTHER_HASH}}


def _killed_between_credentials_and_documents(layout: Layout, delta: dict[str, Any]) -> None:
    def kill(step: str) -> None:
        if step.startswith("write ") and "/sites/" in step:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Steps, "before", staticmethod(kill))
        with pytest.raises(KeyboardInterrupt):
            apply_delta(layout, delta)


def test_password_of_a_mailbox_that_never_was_is_not_kept_for_a_namesake(layout: Layout) -> None:
    _killed_between_credentials_and_documents(layout, {**CLEO_TOO, "hashes": CLEOS_HASH})
    apply_delta(layout, delta_of(mailbox("anna"), mailbox("bob", quota=8192), hashes={}))
    assert set(fingerprints(layout, "acme.example")) == {ANNA, BOB}
    with pytest.raises(InvalidAccounts, match="no password hash"):
        apply_delta(layout, CLEO_TOO)


@pytest.mark.parametrize("mended", [False, True])
def test_password_that_was_stored_before_a_kill_need_not_be_sent_again(
    layout: Layout, *, mended: bool
) -> None:
    _killed_between_credentials_and_documents(layout, {**CLEO_TOO, "hashes": CLEOS_HASH})
    if mended:
        compile_all(layout)
    apply_delta(layout, CLEO_TOO)
    assert set(fingerprints(layout, "acme.example")) == {ANNA, BOB, CLEO}


def test_killed_rename_keeps_the_password_under_either_name(layout: Layout) -> None:
    _killed_between_credentials_and_documents(layout, RENAMED)
    assert set(fingerprints(layout, "acme.example")) == {ANNA, BOB, ROBERT}
    apply_delta(layout, {**BEFORE, "hashes": {}})
    assert set(fingerprints(layout, "acme.example")) == {ANNA, BOB}
    _killed_between_credentials_and_documents(layout, RENAMED)
    other = delta_of(mailbox("anna"), mailbox("rob"), hashes={})
    moves = {"rob@acme.example": {"from": BOB, "fingerprint": "hmac:bob"}}
    apply_delta(layout, {**other, "moves": moves})
    assert set(fingerprints(layout, "acme.example")) == {ANNA, "rob@acme.example"}


def test_killed_rename_of_a_site_keeps_the_passwords_under_either_name(layout: Layout) -> None:
    _killed_between_credentials_and_documents(layout, site_rename._renamed())
    compile_all(layout)
    assert set(fingerprints(layout, "acme.example")) == {ANNA, BOB}
    apply_delta(layout, site_rename._renamed())
    names = {site_rename.NEW_ANNA, site_rename.NEW_BOB}
    assert set(fingerprints(layout, "new.example")) == names


def test_killed_removal_keeps_the_password_of_who_stays_after_all(layout: Layout) -> None:
    _killed_between_credentials_and_documents(layout, acme_mail.WITHOUT_BOB)
    apply_delta(layout, {**BEFORE, "hashes": {}})
    assert set(fingerprints(layout, "acme.example")) == {ANNA, BOB}
