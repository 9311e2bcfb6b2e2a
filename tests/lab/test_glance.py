"""A plan of nothing only glances at the host, and whatever happens there defeats the glance."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.lab.rehearsal import HOST, Rehearsal, until
from tests.torture.specs import HASH

pytestmark = pytest.mark.lab

NO_CHANGES = "No changes. mail1 is as the spec asks.\n"
ONLY_A_GLANCE = """
from provision.hosts import observe
def refuse(*_, **__): raise SystemExit("it was looked at properly")
observe.observer = refuse
"""
"""Python that runs before the program: the observer must not be needed."""

_HIDDEN = (
    "import os, sys\n"
    "path = sys.argv[1]\n"
    "state = os.stat(path)\n"
    "content = open(path, 'rb').read()\n"
    "with open(path, 'r+b') as file: file.write(content.replace(b'postfix', b'POSTFIX'))\n"
    "os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))\n"
    "assert os.stat(path).st_size == state.st_size and os.stat(path).st_ino == state.st_ino\n"
)
CHANGES = [
    ('python3 -c "$HIDDEN" /etc/postfix/main.cf', "file /etc/postfix/main.cf: update"),
    ("chmod 0600 /etc/postfix/main.cf", "file /etc/postfix/main.cf: update"),
    ("touch /etc/nginx/provision/foreign.conf", ""),
    ("rm /etc/dovecot/accounts/blue.example.passwd", "blue.example.passwd"),
    ("touch /etc/postfix/accounts/foreign.cdb", "foreign.cdb"),
    ("systemctl stop nginx.service", "unit nginx.service: update"),
    ("systemctl disable -q nginx.service", "unit nginx.service: update"),
    ("touch /var/lib/provision/journal.json", "a switch was interrupted"),
    ("touch /var/lib/dpkg/updates/0001", "a package run was interrupted"),
]  # fmt: skip
"""What a person does on a host, and what the plan says then; nothing: that nothing has changed."""


@pytest.fixture
def quiet(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """An applied host that has been glanced at; put right at the end."""
    rehearsal.provision("apply", "--yes")
    until(lambda: _is_glanced_at(rehearsal) or None, "a plan that only glances")
    yield rehearsal
    rehearsal.run(
        "rm -f /etc/nginx/provision/foreign.conf /etc/postfix/accounts/foreign.cdb"
        " /var/lib/provision/journal.json /var/lib/dpkg/updates/0001"
    )
    rehearsal.provision("apply", "--yes")


def _is_glanced_at(rehearsal: Rehearsal) -> bool:
    """Plan, and plan again: the first one learns the look of a host that has just changed."""
    rehearsal.provision("plan")
    try:
        return rehearsal.provision("plan", before=ONLY_A_GLANCE) == NO_CHANGES
    except AssertionError:  # the files of the apply are too young to be known by their times
        time.sleep(0.5)
        return False


@pytest.mark.parametrize(("change", "words"), CHANGES, ids=[change for change, _ in CHANGES])
def test_change_on_the_host_is_seen_by_the_next_plan(
    quiet: Rehearsal, change: str, words: str
) -> None:
    quiet.lab.run(HOST, ["env", f"HIDDEN={_HIDDEN}", "sh", "-c", change])
    said = quiet.provision("plan")
    if words:
        assert words in said
    else:
        assert said == NO_CHANGES  # foreign files are told by `drift`
        assert "foreign.conf" in quiet.provision("drift", code=2)


def test_hold_is_told_though_nothing_else_has_changed(quiet: Rehearsal) -> None:
    quiet.provision("hold", HOST, "--for", "10m", "-m", "glance")
    try:
        with pytest.raises(AssertionError, match="it was looked at properly"):
            quiet.provision("plan", before=ONLY_A_GLANCE)
    finally:
        quiet.provision("hold", HOST, "--release")


def test_everything_is_read_again_when_that_is_asked_for(quiet: Rehearsal) -> None:
    switch = "import os; os.environ['PROVISION_NO_CACHE'] = '1'\n"
    with pytest.raises(AssertionError, match="it was looked at properly"):
        quiet.provision("plan", before=switch + ONLY_A_GLANCE)
    assert quiet.provision("plan", before=switch) == NO_CHANGES


_SAVED_MEANWHILE = """
from pathlib import Path
from provision.apply import survey as module
look = module.survey
def survey(*words):
    Path({path!r}).write_text({text!r})
    return look(*words)
module.survey = survey
"""
"""Python that runs before the program: somebody saves a file while hosts are looked at."""


def test_spec_that_is_saved_during_a_look_is_planned_by_the_next_one(quiet: Rehearsal) -> None:
    """What that look remembers is of the spec that it had read, not of the one that is there."""
    path = quiet.fleet_dir / "sites/blue.example.yml"
    before = path.read_text()
    late = before.replace("mailboxes:\n", f"mailboxes:\n  late: {{password_hash: {HASH}}}\n", 1)
    path.write_text(f"{before}# looked at properly\n")
    saved = _SAVED_MEANWHILE.format(path=str(path), text=late)
    try:
        assert quiet.provision("plan", before=saved) == NO_CHANGES
        said = quiet.provision("plan", "--detailed-exitcode", code=2)
    finally:
        path.write_text(before)
    assert "late@blue.example" in said
