"""What somebody edited on a host becomes part of the spec, or is said to have no place in it."""

from __future__ import annotations

import json

import pytest

from provision.apply.passwords import hash_password
from provision.model.secret import Secret
from provision.verify.probes import clients
from tests.lab.rehearsal import Rehearsal

pytestmark = pytest.mark.lab

SITE = "sites/blue.example.yml"
LOGINS = "/etc/dovecot/accounts/blue.example.passwd"
NOT_PASSED = "s/userdb_quota_storage_size=65536B/userdb_quota_storage_size=131072B/"


def test_edited_accounts_become_part_of_the_spec_and_a_file_does_not(wire: Rehearsal) -> None:
    path = wire.fleet_dir / SITE
    before = path.read_text()
    hashed = hash_password(Secret("chosen by hand")).reveal()
    wire.run(f"sed -i '/^tiny@/{NOT_PASSED}' {LOGINS}")
    wire.run(f"sed -i 's|^\\(dora@blue.example\\):[^:]*:|\\1:{hashed}:|' {LOGINS}")
    wire.run(f"sed -n 's/^emil@/nora@/p' {LOGINS} >> {LOGINS}")
    wire.run("echo '# mine' >> /etc/postfix/main.cf")
    try:
        said = wire.provision("adopt", "mail1", "--yes", code=2)
        for words in (
            "can be adopted: tiny@blue.example: quota 128K",
            "can be adopted: dora@blue.example: password_hash",
            "can be adopted: nora@blue.example: new, quota 2G",
            "file /etc/postfix/main.cf (changed) cannot be adopted",
            "templates/postfix makes it",
        ):
            assert words in said, words
        assert hashed not in said
        written = path.read_text()
        assert written.startswith("# Sends directly to the world.\n")
        assert "tiny: {name: A very small mailbox, password: !secret blue/tiny, quota: 128K}" in (
            written
        )
        assert hashed in written
        assert "emil:\n    name: Emil Eks\n    password: !secret blue/emil\n" in written
        planned = json.loads(wire.provision("plan", "--format", "json"))
        (host,) = planned["hosts"]
        assert {c["name"] for c in host["changes"] if c["kind"] == "mailbox"} == {
            "dora@blue.example",
            "nora@blue.example",
            "tiny@blue.example",
        }
        wire.provision("apply", "--yes")
        assert "No changes." in wire.provision("plan")
        assert wire.provision("adopt", "mail1") == "mail1: no drift to adopt.\n"
        client = clients.imap(wire.door)
        client.login("dora@blue.example", "chosen by hand")
        client.logout()
    finally:
        path.write_text(before)
        wire.provision("apply", "--yes")
    assert "No changes." in wire.provision("plan")


def test_adoption_that_would_break_the_spec_writes_nothing(wire: Rehearsal) -> None:
    path = wire.fleet_dir / SITE
    before = path.read_text()
    wire.run(f"sed -n 's/^emil@/postmaster.{'x' * 70}@/p' {LOGINS} >> {LOGINS}")
    try:
        wire.provision("adopt", "mail1", LOGINS, "--yes", code=6)
        assert path.read_text() == before
    finally:
        wire.provision("apply", "--yes")
