"""Wherever a host is killed, no letter is lost of who leaves, comes back or gets another name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.provision_account_store import Layout, observe
from ansible.module_utils.provision_accounts import apply_delta, compile_all

from tests.unit.playbooks import acme_mail
from tests.unit.playbooks.acme_mail import (
    BEFORE,
    OUTSIDE_ALIAS,
    RENAMED,
    ROBERT,
    WITHOUT_BOB,
    accepted,
    deliver,
    delta_of,
    known,
    letters,
    mailbox,
    restore,
)
from tests.unit.playbooks.killed_host import each_kill, faults_of_killed_delta

layout, memory = acme_mail.layout, acme_mail.memory  # fixtures: a host whose bob has two letters

RENAMED_AND_ALIAS = delta_of(
    mailbox("anna"), mailbox("robert"), moves=RENAMED["moves"], aliases=OUTSIDE_ALIAS
)


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
    steps, faults = faults_of_killed_delta(
        layout, delta, _faults, is_mended=lambda _: ending == "mended"
    )
    assert steps > 30
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
    step = 0
    for step in each_kill(layout, lambda: restore(layout, replace=replace)):
        assert letters(layout) == wanted, f"killed at {step}"
        compile_all(layout)
        assert letters(layout) == wanted, f"healed from {step}"
        assert observe(layout)["damage"] == []
    assert step > 5
    assert letters(layout, "acme.example/bob") == ["a letter\n", "sent letter"]
