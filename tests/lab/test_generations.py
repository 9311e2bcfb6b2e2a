"""Generations on a real host: back to the files of before, whole after a power cut, and drift."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.breakages import broken
from tests.lab.host_programs import run_there
from tests.lab.owner import Owner, owner_of
from tests.lab.postfix_breakages import ROLLED_BACK
from tests.lab.rehearsal import HOST, Rehearsal, until

pytestmark = pytest.mark.lab

SITE = "sites/acme.example.yml"
ANNA, BOB, FRED = "anna@acme.example", "bob@acme.example", "fred@quiet.example"
NO_LOGINS = "Dovecot: users files of another name"
"""A configuration that nobody can log in with, which its proof finds."""
TREE = """
import hashlib, json, os
files = json.load(open("/var/lib/provision/current/manifest.json"))["files"]
digest = hashlib.sha256()
for path in sorted(files):
    state = os.lstat(path)
    digest.update(repr((path, state.st_mode, state.st_uid, state.st_gid)).encode())
    digest.update(open(path, "rb").read())
print(digest.hexdigest())
"""


def _tree(rehearsal: Rehearsal) -> str:
    """One digest of every file of ours that is live: name, mode, owner, content."""
    return rehearsal.lab.run(HOST, ["python3", "-c", TREE]).stdout.strip()


def _history(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    document = json.loads(rehearsal.provision("history", "--format", "json"))
    generations: list[dict[str, Any]] = document["hosts"][0]["generations"]
    return generations


def _status(rehearsal: Rehearsal) -> dict[str, Any]:
    document = json.loads(rehearsal.provision("status", "--format", "json"))
    status: dict[str, Any] = document["hosts"][0]
    return status


def _drift(rehearsal: Rehearsal, *, code: int) -> dict[str, dict[str, Any]]:
    document = json.loads(rehearsal.provision("drift", "--format", "json", code=code))
    return {finding["name"]: finding for finding in document["hosts"][0]["drift"]}


@pytest.fixture
def tended(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """The rehearsed fleet as its spec asks, before and after."""
    rehearsal.provision("apply", "--yes")
    yield rehearsal
    rehearsal.close()
    rehearsal.provision("apply", "--yes")


def test_rollback_brings_back_exactly_what_was_and_keeps_the_mail(tended: Rehearsal) -> None:
    before, first = _tree(tended), _status(tended)["generation"]
    with tended.edited(SITE, lambda text: text.replace("Acme Mail", "Acme Post")):
        tended.provision("apply", "--yes")
    assert _tree(tended) != before
    with tended.lab.inside():
        subject = tended.send(ANNA, BOB)
        tended.received(BOB, subject)
    said = tended.provision("rollback", "--yes")
    assert f"back to generation {first}" in said
    assert _tree(tended) == before
    with tended.lab.inside():
        assert tended.has_received(BOB, subject)
    a, b, back = [g for g in _history(tended) if g["outcome"] == "applied"][-3:]
    assert a["number"] == first
    assert (b["rollback_of"], back["rollback_of"]) == (None, first)
    assert b["changes"] == back["changes"]
    assert _status(tended)["rollback_of"] == first
    assert _drift(tended, code=0) == {}
    tended.provision("plan", "--detailed-exitcode")
    tended.provision("verify")


@pytest.fixture
def fred(tended: Rehearsal) -> Iterator[Owner]:
    """Has a password and a filter of his own."""
    with owner_of(tended, FRED) as owner:
        yield owner


def test_rollback_leaves_password_filter_and_mail_to_their_owner(
    tended: Rehearsal, fred: Owner
) -> None:
    with tended.edited(SITE, lambda text: text.replace("Acme Mail", "Acme Post")):
        tended.provision("apply", "--yes")
    earlier = _filed(tended, fred)
    tended.provision("rollback", "--yes")
    _require_untouched(tended, fred, earlier)
    assert "No changes." in tended.provision("plan", "--detailed-exitcode")


@pytest.mark.parametrize("why", ["the proof fails", "nobody confirms"])
def test_apply_that_goes_back_leaves_them_to_their_owner(
    tended: Rehearsal, fred: Owner, why: str, tmp_path: Path
) -> None:
    before, earlier = _tree(tended), _filed(tended, fred)
    if why == "the proof fails":
        tended.provision("apply", "--yes", before=broken([NO_LOGINS], tmp_path), code=ROLLED_BACK)
    else:
        with tended.edited(
            "fleet.yml", lambda text: text.replace("198.18.0.0/24]", "192.0.2.0/24]")
        ):
            tended.provision("apply", "--yes", "--confirm-timeout", "8s", code=ROLLED_BACK)
    assert _tree(tended) == before
    _require_untouched(tended, fred, earlier)


def _filed(rehearsal: Rehearsal, owner: Owner) -> str:
    with rehearsal.lab.inside():
        subject = rehearsal.send(ANNA, owner.address)
        owner.filed(subject)
    return subject


def _require_untouched(rehearsal: Rehearsal, owner: Owner, earlier: str) -> None:
    rehearsal.close()  # sessions that the way back may have ended
    with rehearsal.lab.inside():
        owner.require_untouched(ANNA, earlier)


def test_rollback_to_what_is_not_kept_changes_nothing(tended: Rehearsal) -> None:
    count = len(_history(tended))
    tended.provision("rollback", "--to", "4711", "--yes", code=6)
    assert len(_history(tended)) == count


def test_status_names_who_holds_the_host(tended: Rehearsal) -> None:
    assert _status(tended)["holder"] is None
    holder = tended.run(
        "flock -o /run/provision/apply.lock sleep 60 >/dev/null 2>&1 & echo $!"
    ).strip()
    until(lambda: _status(tended)["holder"], "the lock is held")
    assert "somebody is at work on this host" in tended.provision("status")
    with tended.edited(SITE, lambda text: text.replace("Acme Mail", "Acme Held")):
        assert "somebody is at work on this host" in tended.provision("apply", "--yes", code=6)
    tended.run(f"kill {holder}")
    until(lambda: _status(tended)["holder"] is None, "the lock is free")


def test_power_cut_in_the_middle_of_a_switch_ends_before_mail_starts(tended: Rehearsal) -> None:
    before, number = _tree(tended), _status(tended)["generation"]
    run_there(tended, "half_switch")
    assert _tree(tended) != before
    assert _status(tended)["switch_interrupted"]
    tended.close()
    tended.lab.cut(HOST)
    tended.lab.start(HOST)
    until(lambda: _is_started(tended), "the host has started")
    assert _tree(tended) == before
    status = _status(tended)
    assert (status["generation"], status["switch_interrupted"]) == (number, False)
    assert (status["pending"], status["drift"]) == ([], 0)
    assert status["last_apply"]["outcome"] == "recovered"
    assert _history(tended)[-1]["outcome"] == "interrupted"
    for unit in ("postfix", "dovecot", "nginx"):
        assert _entered(tended, "provision-recover") <= _entered(tended, unit), unit
    with tended.lab.inside():
        tended.received(BOB, tended.send(ANNA, BOB))
    tended.provision("plan", "--detailed-exitcode")


def _is_started(rehearsal: Rehearsal) -> bool:
    state = rehearsal.run("systemctl is-system-running --wait || true").strip()
    return state in {"running", "degraded"}


def _entered(rehearsal: Rehearsal, unit: str) -> int:
    """When a unit became active, in microseconds since boot."""
    show = f"systemctl show --value -p ActiveEnterTimestampMonotonic {unit}.service"
    moment = int(rehearsal.run(show))
    assert moment > 0, f"{unit} is not active"
    return moment


EDITS = """
echo "# canary-edit" >> /etc/postfix/main.cf
echo canary-secret >> /etc/provision/tls/host.key
chmod 0600 /etc/dovecot/dovecot.conf
rm /etc/provision/roundcube/defaults.inc.php
echo "a note" > /etc/nginx/provision/note.txt
systemctl disable --now --quiet nginx.service
dpkg --force-depends --remove php-zip >/dev/null 2>&1
echo "eve@acme.example:{PLAIN}canary-login::::::" >> /etc/dovecot/accounts/acme.example.passwd
"""


def test_drift_finds_every_kind_and_an_apply_keeps_what_it_replaces(tended: Rehearsal) -> None:
    tended.run(EDITS)
    said = tended.provision("drift", code=2)
    assert "+# canary-edit" in said
    assert "canary-secret" not in said
    assert "canary-login" not in said
    found = _drift(tended, code=2)
    assert {name: (finding["kind"], finding["what"]) for name, finding in found.items()} == {
        "/etc/postfix/main.cf": ("file", "changed"),
        "/etc/provision/tls/host.key": ("file", "changed"),
        "/etc/dovecot/dovecot.conf": ("file", "changed"),
        "/etc/provision/roundcube/defaults.inc.php": ("file", "missing"),
        "/etc/nginx/provision/note.txt": ("file", "foreign"),
        "nginx.service": ("unit", "changed"),
        "php-zip": ("package", "missing"),
        "/etc/dovecot/accounts/acme.example.passwd": ("accounts", "changed"),
    }
    assert _status(tended)["drift"] == len(found)
    told = tended.provision("apply", "--yes")
    kept = f"/var/lib/provision/replaced/{_status(tended)['generation']}"
    assert kept in told
    for path, canary in (
        ("/etc/postfix/main.cf", "canary-edit"),
        ("/etc/provision/tls/host.key", "canary-secret"),
        ("/etc/dovecot/accounts/acme.example.passwd", "canary-login"),
    ):
        assert path in told
        assert canary in tended.run(f"cat {kept}{path}")
    assert tended.run(f"find {kept} -perm /077 -type f") == ""
    assert list(_drift(tended, code=2)) == ["/etc/nginx/provision/note.txt"], "left alone"
    tended.run("rm /etc/nginx/provision/note.txt")
    assert _drift(tended, code=0) == {}
