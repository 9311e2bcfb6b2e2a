"""Whatever a hand has left among the files that Dovecot reads, a compile mends it or lets it be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.provision_account_store import Layout, observe
from ansible.module_utils.provision_accounts import apply_delta, compile_all
from ansible.module_utils.provision_steps import Steps

from tests.unit.playbooks import acme_mail
from tests.unit.playbooks.acme_mail import BOB, RENAMED, WITHOUT_BOB, known

layout, memory = acme_mail.layout, acme_mail.memory  # fixtures: a host with bob's mail


@pytest.mark.parametrize("delta", [WITHOUT_BOB, RENAMED, None], ids=["leaves", "moves", "mended"])
@pytest.mark.parametrize(
    "line",
    ["# Grüße vom Anrufer", "jörg@acme.example:{PLAIN}x::::::", "anna@acme.example:{PLAIN}ß::::::"],
    ids=["comment", "login", "password"],
)
def test_letters_beyond_ascii_in_an_edited_file_hinder_no_change(
    layout: Layout, line: str, delta: dict[str, Any] | None
) -> None:
    path = Path(layout.dovecot, "acme.example.passwd")
    before = path.read_bytes()
    path.write_bytes(before + f"{line}\n".encode("latin-1"))
    if delta is None:
        compile_all(layout)
        assert path.read_bytes() == before
    else:
        apply_delta(layout, delta)
        assert BOB not in known(layout)
    assert path.read_bytes().isascii()
    assert observe(layout)["damage"] == []


def test_who_leaves_is_known_to_dovecot_until_postfix_takes_no_mail_for_him(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(layout.dovecot, "acme.example.passwd")
    path.write_bytes(path.read_bytes() + "# Grüße\n".encode())
    seen: list[bool] = []

    def look(step: str) -> None:
        if step.startswith("rename ") and step.endswith("mailboxes.cdb"):
            seen.append(BOB in known(layout))

    monkeypatch.setattr(Steps, "before", staticmethod(look))
    apply_delta(layout, WITHOUT_BOB)
    assert seen == [True]
    assert BOB not in known(layout)


@pytest.mark.parametrize("folder", ["backup", "old.example.passwd", "forwards/saved"])
def test_folder_that_somebody_made_there_stays_and_hinders_no_compile(
    layout: Layout, folder: str
) -> None:
    mine = Path(layout.dovecot, folder)
    mine.mkdir()
    (mine / "notes").write_text("mine")
    foreign = Path(layout.dovecot, "foreign.passwd")
    foreign.write_text("x@foreign.example:{PLAIN}x::::::\n")
    compile_all(layout)
    apply_delta(layout, WITHOUT_BOB)
    assert (mine / "notes").read_text() == "mine"
    assert not foreign.exists()
    assert observe(layout)["damage"] == []
