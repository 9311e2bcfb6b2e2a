"""A mailbox that leaves the spec, comes back, or gets another name, as its owner would see it."""

from __future__ import annotations

import imaplib
import json
import re
import smtplib
import time
from collections.abc import Iterator

import pytest

from provision.verify.probes import clients
from tests.lab.rehearsal import Rehearsal, new_message, until

pytestmark = pytest.mark.lab

ANNA, DORA, DOROTHY = "anna@acme.example", "dora@blue.example", "dorothy@blue.example"
SITE = "sites/blue.example.yml"
LINE = "  dora: {name: Dora Dean, password: !secret blue/dora}\n"
RENAMED = "  dorothy: {name: Dora Dean, password: !secret blue/dora, moved_from: dora}\n"
BACK = "  dora: {name: Dora Dean, password: !secret blue/dora, moved_from: dorothy}\n"

Folders = dict[str, tuple[str, list[tuple[str, tuple[str, ...], str]]]]
"""Folder to its UIDVALIDITY and to UID, flags and subject of every message."""


def _login(wire: Rehearsal, address: str) -> imaplib.IMAP4:
    client = clients.imap(wire.door)
    try:
        client.login(address, wire.password(DORA))
    except imaplib.IMAP4.error:
        client.shutdown()
        raise
    return client


def _wait_until_locked_out(wire: Rehearsal, address: str) -> None:
    """Dovecot looks once in a second of its clock whether a passwd-file is newer."""

    def is_refused() -> bool:
        try:
            _login(wire, address).shutdown()
        except imaplib.IMAP4.error:
            return True
        return False

    until(is_refused, f"no login of {address} any more", within=5)


def _inbox_size(wire: Rehearsal, address: str) -> int:
    client = _login(wire, address)
    _, count = client.select("INBOX")
    client.logout()
    return int(count[0] or 0)


def _folders(wire: Rehearsal, address: str) -> Folders:
    client = _login(wire, address)
    found = {}
    for name in ("INBOX", "Work"):
        assert client.select(name)[0] == "OK", name
        _, validity = client.response("UIDVALIDITY")
        _, parts = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        messages = [_message(part) for part in parts if isinstance(part, tuple)]
        found[name] = (str(validity[0]), sorted(messages))
    client.logout()
    return found


def _message(part: tuple[bytes, bytes]) -> tuple[str, tuple[str, ...], str]:
    head = part[0].decode()
    uid = re.search(r"UID (\d+)", head)
    flags = re.search(r"FLAGS \(([^)]*)\)", head)
    assert uid
    assert flags
    kept = sorted(flag for flag in flags[1].split() if flag != r"\Recent")
    return uid[1], tuple(kept), part[1].decode().strip()


def _refusal(wire: Rehearsal, recipient: str) -> int:
    with clients.smtp(wire.door) as smtp:
        smtp.ehlo()
        smtp.mail("bob@home.example")
        return smtp.rcpt(recipient)[0]


def _servers(wire: Rehearsal) -> str:
    """The main processes, and every reload that their logs tell of."""
    shown = "systemctl show -p MainPID -p ExecMainStartTimestampMonotonic postfix dovecot nginx"
    return wire.run(
        f"{shown}; journalctl -q -o cat -u postfix -u dovecot -u nginx"
        " | grep -ciE 'reload|SIGHUP' || true"
    )


class _Idle:
    """A person's mail program that waits for mail (RFC 2177)."""

    def __init__(self, wire: Rehearsal) -> None:
        self._client = clients.imap(wire.door)
        self._client.login(ANNA, wire.password(ANNA))
        self._client.select("INBOX")
        self._client.send(b"i1 IDLE\r\n")
        assert self._client.readline().startswith(b"+")

    def ends_well(self) -> bool:
        """True when nobody has ended it."""
        self._client.send(b"DONE\r\n")
        line = self._client.readline()
        while line.startswith(b"* ") and not line.startswith(b"* BYE"):
            line = self._client.readline()
        alive = line.startswith(b"i1 OK")
        self._client.logout()
        return alive


@pytest.fixture(scope="module")
def _kept_clients_end(rehearsal: Rehearsal) -> Iterator[None]:
    """Other tests' sessions and archives of these people end with what happens to them here."""
    listed = rehearsal.provision("mailbox", "list", "--archived", "--format", "json")
    if any(entry["address"] == DORA for entry in json.loads(listed)["archives"]):
        rehearsal.provision("mailbox", "purge", DORA, "--yes")
    yield
    with rehearsal.lab.inside():
        rehearsal.close()


@pytest.fixture
def dora(wire: Rehearsal, _kept_clients_end: None) -> Rehearsal:
    """Dora has mail with flags in two folders."""
    client = _login(wire, DORA)
    client.create("Work")
    for folder, flags in (("INBOX", r"(\Seen \Answered)"), ("Work", r"(\Flagged $Urgent)")):
        for _ in range(2):
            message = new_message(ANNA, DORA).as_bytes()
            assert client.append(folder, flags, time.time(), message)[0] == "OK"
    client.select("INBOX")
    client.store("1", "+FLAGS", r"(\Deleted)")
    client.expunge()  # so that UIDs are not 1, 2, 3
    client.logout()
    return wire


def test_removed_mailbox_is_locked_archived_and_comes_back_whole(dora: Rehearsal) -> None:
    before, servers, idle = _folders(dora, DORA), _servers(dora), _Idle(dora)
    with dora.edited(SITE, lambda text: text.replace(LINE, "")):
        planned = dora.provision("plan")
        assert re.search(
            rf"- mailbox {DORA}: delete \(\d+ messages, [0-9.]+[KMB], archived for 30 days\)",
            planned,
        )
        assert "nothing is reloaded or restarted" in planned
        dora.provision("apply", "--yes")
        _wait_until_locked_out(dora, DORA)
        with (
            clients.submission(dora.door, 587) as smtp,
            pytest.raises(smtplib.SMTPAuthenticationError),
        ):
            smtp.login(DORA, dora.password(DORA))
        assert _refusal(dora, DORA) == 550
        listed = json.loads(dora.provision("mailbox", "list", "--archived", "--format", "json"))
        (archive,) = (entry for entry in listed["archives"] if entry["address"] == DORA)
        assert archive["messages"] == sum(len(messages) for _, messages in before.values())
        assert dora.run(f"stat -c %a:%U /var/mail/provision/.archive/{archive['name']}") == (
            "700:root\n"
        )
        said = dora.provision("mailbox", "restore", DORA, code=6)
        assert said == ""
    planned = dora.provision("plan")
    assert f"provision mailbox restore {DORA}" in planned
    dora.provision("apply", "--yes")
    assert _inbox_size(dora, DORA) == 0
    assert "is back on mail1" in dora.provision("mailbox", "restore", DORA)
    assert _folders(dora, DORA) == before
    assert _refusal(dora, DORA) == 250
    assert idle.ends_well()
    assert _servers(dora) == servers
    assert "No changes." in dora.provision("plan")


def test_mail_that_came_since_is_never_covered(dora: Rehearsal) -> None:
    with dora.edited(SITE, lambda text: text.replace(LINE, "")):
        dora.provision("apply", "--yes")
    dora.provision("apply", "--yes")
    subject = dora.send(ANNA, DORA)
    until(lambda: _inbox_size(dora, DORA), f"{subject} for {DORA}")
    dora.provision("mailbox", "restore", DORA, code=6)
    dora.provision("mailbox", "restore", DORA, "--yes")
    listed = json.loads(dora.provision("mailbox", "list", "--archived", "--format", "json"))
    (archive,) = (entry for entry in listed["archives"] if entry["address"] == DORA)
    kept = f"/var/mail/provision/.archive/{archive['name']}/home"
    assert (
        dora.run(f"grep -rl {subject.split()[-1]} {kept}/mail/cur {kept}/mail/new | wc -l").strip()
        == "1"
    )
    dora.provision("mailbox", "purge", DORA, "--yes")
    assert dora.run(f"test -e {kept} || echo gone") == "gone\n"


def test_renamed_mailbox_keeps_everything_and_reloads_nothing(dora: Rehearsal) -> None:
    before, servers, idle = _folders(dora, DORA), _servers(dora), _Idle(dora)
    held = dora.run("cat /var/lib/provision/accounts/credentials/blue.example.json")
    old_hash = json.loads(held)[DORA]["hash"]
    with dora.edited(SITE, lambda text: text.replace(LINE, RENAMED)):
        assert f"~ mailbox {DOROTHY}: rename (from {DORA})" in dora.provision("plan")
        dora.provision("apply", "--yes")
        assert _folders(dora, DOROTHY) == before
        held = dora.run("cat /var/lib/provision/accounts/credentials/blue.example.json")
        assert json.loads(held)[DOROTHY]["hash"] == old_hash
        assert DORA not in json.loads(held)
        _wait_until_locked_out(dora, DORA)
        assert (_refusal(dora, DORA), _refusal(dora, DOROTHY)) == (550, 250)
        assert "No changes." in dora.provision("plan")
    with dora.edited(SITE, lambda text: text.replace(LINE, BACK)):
        dora.provision("apply", "--yes")
    assert _folders(dora, DORA) == before
    assert "No changes." in dora.provision("plan")
    assert idle.ends_well()
    assert _servers(dora) == servers


def _as_teal(text: str) -> str:
    new = "site: teal.example\nmoved_from: blue.example\ndomain_aliases: [blue.example]"
    return text.replace("site: blue.example", new)


def _as_blue_again(text: str) -> str:
    return text.replace("site: blue.example", "site: blue.example\nmoved_from: teal.example")


def _hash(wire: Rehearsal, address: str) -> str:
    site = address.partition("@")[2]
    held = wire.run(f"cat /var/lib/provision/accounts/credentials/{site}.json")
    return str(json.loads(held)[address]["hash"])


def _webmail(wire: Rehearsal, statement: str) -> str:
    """What a statement on Roundcube's database says, run as the user to whom it belongs."""
    database = "/var/lib/provision-webmail/roundcube.sqlite"
    program = (
        f"import sqlite3; d = sqlite3.connect('{database}');"
        f' print([row[0] for row in d.execute(\\"{statement}\\")]); d.commit()'
    )
    return wire.run(f'runuser -u roundcube -- python3 -c "{program}"').strip()


def test_renamed_site_keeps_mail_uids_scripts_and_passwords(dora: Rehearsal) -> None:
    teal = "dora@teal.example"
    before, idle, held = _folders(dora, DORA), _Idle(dora), _hash(dora, DORA)
    home = "/var/mail/provision/blue.example/dora"
    dora.run(f"install -D -o vmail -g vmail /dev/null {home}/sieve/mine.sieve")
    row = f"INSERT INTO users (username, mail_host) VALUES ('{DORA}', 'elsewhere')"
    _webmail(dora, row)
    rows = "SELECT username FROM users WHERE mail_host = 'elsewhere'"
    with dora.edited(SITE, _as_teal):
        planned = dora.provision("plan")
        assert "~ site teal.example: rename (from blue.example; aliases none" in planned
        assert f"~ mailbox {teal}: rename (from {DORA})" in planned
        assert "- mailbox" not in planned
        dora.provision("apply", "--yes")
        assert _folders(dora, teal) == before
        assert _hash(dora, teal) == held
        assert _webmail(dora, rows) == f"['{teal}']"
        assert dora.run(f"ls {home.replace('blue', 'teal')}/sieve") == "mine.sieve\n"
        assert dora.run("ls -d /var/mail/provision/blue.example 2>&1 || true").startswith("ls:")
        _wait_until_locked_out(dora, DORA)
        assert (_refusal(dora, teal), _refusal(dora, DORA)) == (250, 250)
        assert "No changes." in dora.provision("plan")
    _webmail(dora, f"DELETE FROM users WHERE username = '{teal}'")
    with dora.edited(SITE, _as_blue_again):
        dora.provision("apply", "--yes")
        assert _folders(dora, DORA) == before
        assert _refusal(dora, teal) != 250
    assert "No changes." in dora.provision("plan")
    assert idle.ends_well()


def test_new_domain_counts_as_soon_as_the_apply_ends(wire: Rehearsal) -> None:
    """Postfix's resolver keeps its maps open; here it is busy when they change."""
    new = "anna@acme-too.example"
    for change, answers in (("[acme.test, acme-too.example]", 250), ("[acme.test]", 554)):
        path = wire.fleet_dir / "sites/acme.example.yml"
        path.write_text(re.sub(r"(?<=domain_aliases: )\[.*?\]", change, path.read_text()))
        with clients.smtp(wire.door) as busy:
            busy.ehlo()
            busy.mail("bob@home.example")
            assert busy.rcpt(ANNA)[0] == 250
            assert _refusal(wire, new) != answers
            wire.provision("apply", "--yes")
        assert _refusal(wire, new) == answers
