"""What webmail keeps of a person goes with the mailbox: to another name, the archive, or away."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.provision_account_archive import archives
from ansible.module_utils.provision_account_store import Layout
from ansible.module_utils.provision_account_webmail import DATABASE, rename_people
from ansible.module_utils.provision_accounts import apply_delta, compile_all
from ansible.module_utils.provision_mailboxes import answer
from ansible.module_utils.provision_steps import Steps

from tests.unit.playbooks import acme_mail
from tests.unit.playbooks.acme_mail import BOB, RENAMED, ROBERT, WITHOUT_BOB

layout, memory = acme_mail.layout, acme_mail.memory  # fixtures: a host with bob's mail

_TABLES = """
CREATE TABLE users (user_id INTEGER PRIMARY KEY, username varchar(128) NOT NULL,
  mail_host varchar(128) NOT NULL, UNIQUE (username, mail_host));
CREATE TABLE identities (identity_id INTEGER PRIMARY KEY, email varchar(128) NOT NULL,
  user_id integer NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE contacts (contact_id INTEGER PRIMARY KEY, name varchar(128) NOT NULL,
  user_id integer NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE);
"""
"""As SQL/sqlite.initial.sql of Roundcube 1.6 has them, as far as it matters here."""


@pytest.fixture
def database(layout: Layout) -> Iterator[sqlite3.Connection]:
    """Roundcube's, in which bob has an identity and a contact."""
    path = Path(layout.at(DATABASE))
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.executescript(_TABLES)
    _log_in(connection, BOB, "his aunt")
    yield connection
    connection.close()


def _log_in(database: sqlite3.Connection, address: str, contact: str) -> None:
    made = database.execute("INSERT INTO users VALUES (NULL, ?, '127.0.0.1')", (address,))
    database.execute("INSERT INTO identities VALUES (NULL, ?, ?)", (address, made.lastrowid))
    database.execute("INSERT INTO contacts VALUES (NULL, ?, ?)", (contact, made.lastrowid))
    database.commit()


def _kept(database: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """Login to the address of the identity and the contact."""
    query = (
        "SELECT username, email, name FROM users JOIN identities USING (user_id)"
        " JOIN contacts USING (user_id)"
    )
    return {login: (email, contact) for login, email, contact in database.execute(query)}


def test_renamed_mailbox_keeps_settings_and_sends_by_its_new_name(
    layout: Layout, database: sqlite3.Connection
) -> None:
    assert apply_delta(layout, RENAMED)["said"] == []
    assert _kept(database) == {ROBERT: (ROBERT, "his aunt")}
    assert rename_people(layout, {BOB: ROBERT}, addresses=True) == []
    assert _kept(database) == {ROBERT: (ROBERT, "his aunt")}


def test_settings_wait_with_the_archive_and_nobody_else_finds_them(
    layout: Layout, database: sqlite3.Connection
) -> None:
    apply_delta(layout, WITHOUT_BOB)
    (record,) = archives(layout)
    assert _kept(database) == {record["name"]: (BOB, "his aunt")}
    apply_delta(layout, acme_mail.BEFORE)
    _log_in(database, BOB, "another aunt")
    acme_mail.deliver(layout, "bob", "new/3.M3.mail1,S=5", "newer")
    assert acme_mail.restore(layout, replace=True)["outcome"] == "done"
    (kept,) = archives(layout)
    assert _kept(database) == {BOB: (BOB, "his aunt"), kept["name"]: (BOB, "another aunt")}


def test_purge_deletes_what_webmail_kept_of_the_archive_and_no_more(
    layout: Layout, database: sqlite3.Connection
) -> None:
    apply_delta(layout, WITHOUT_BOB)
    _log_in(database, "anna@acme.example", "her uncle")
    names = [record["name"] for record in archives(layout)]
    answer(layout, {"action": "purge", "archives": names, "who": "ada"})
    assert _kept(database) == {"anna@acme.example": ("anna@acme.example", "her uncle")}
    assert database.execute("SELECT count(*) FROM contacts").fetchone() == (1,)


def test_database_that_cannot_be_written_is_said_and_stops_nothing(layout: Layout) -> None:
    path = Path(layout.at(DATABASE))
    path.parent.mkdir(parents=True)
    path.write_text("no database at all, but long enough to be read as one" * 30)
    result = apply_delta(layout, WITHOUT_BOB)
    assert result["archived"] == [BOB]
    (said,) = result["said"]
    assert said.startswith("webmail keeps settings of who left: ")
    assert said.endswith("file is not a database")


def _killed_before_the_rows_are_written(layout: Layout, delta: dict[str, Any]) -> None:
    def kill(step: str) -> None:
        if step.startswith("write rows of "):
            raise KeyboardInterrupt

    original = Steps.before
    Steps.before = staticmethod(kill)
    try:
        with pytest.raises(KeyboardInterrupt):
            apply_delta(layout, delta)
    finally:
        Steps.before = staticmethod(original)


@pytest.mark.parametrize("mended", [False, True])
def test_settings_go_to_the_archive_though_the_run_that_made_it_was_killed(
    layout: Layout, database: sqlite3.Connection, *, mended: bool
) -> None:
    _killed_before_the_rows_are_written(layout, WITHOUT_BOB)
    (record,) = archives(layout)
    assert _kept(database) == {BOB: (BOB, "his aunt")}
    if mended:
        compile_all(layout)
    apply_delta(layout, acme_mail.BEFORE)
    assert _kept(database) == {record["name"]: (BOB, "his aunt")}


def test_archive_of_somebody_earlier_is_not_taken_for_the_one_of_who_leaves(
    layout: Layout, database: sqlite3.Connection
) -> None:
    apply_delta(layout, WITHOUT_BOB)
    (record,) = archives(layout)
    apply_delta(layout, acme_mail.BEFORE)
    _log_in(database, BOB, "another aunt")
    Path(layout.mail, "acme.example/bob").rmdir()
    later = int(record["removed"]) + 5
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: later)
        apply_delta(layout, WITHOUT_BOB)
    assert _kept(database)[record["name"]] == (BOB, "his aunt")


@pytest.mark.parametrize(("delta", "login"), [(WITHOUT_BOB, ""), (RENAMED, ROBERT)])
def test_settings_that_webmail_does_not_let_go_follow_with_the_next_change(
    layout: Layout, database: sqlite3.Connection, delta: dict[str, Any], login: str
) -> None:
    """A rename that failed is tried again before anybody can have the old address."""
    path = Path(layout.at(DATABASE))
    aside = path.rename(path.with_suffix(".aside"))
    path.write_text("no database at all, but long enough to be read as one" * 30)
    assert apply_delta(layout, delta)["said"] == apply_delta(layout, delta)["said"] != []
    aside.rename(path)
    hashes = {**delta["hashes"], **acme_mail.BEFORE["hashes"]}
    both = json.loads(delta["sites"]["acme.example"])
    both["mailboxes"].append(acme_mail.mailbox("bob"))
    again = {**delta, "sites": {"acme.example": json.dumps(both)}, "hashes": hashes, "moves": {}}
    assert apply_delta(layout, again)["said"] == []
    names = [login] if login else [record["name"] for record in archives(layout)]
    assert list(_kept(database)) == names
    assert not Path(layout.store, "transition.json").exists()


def test_nothing_is_taken_from_a_later_owner_and_a_person_is_told(
    layout: Layout, database: sqlite3.Connection
) -> None:
    path = Path(layout.at(DATABASE))
    aside = path.rename(path.with_suffix(".aside"))
    path.write_text("no database at all, but long enough to be read as one" * 30)
    apply_delta(layout, WITHOUT_BOB)
    (said,) = apply_delta(layout, acme_mail.BEFORE)["said"]
    assert said.endswith("file is not a database")
    aside.rename(path)
    assert apply_delta(layout, acme_mail.BEFORE)["said"] == []
    assert _kept(database) == {BOB: (BOB, "his aunt")}
