"""Mail flows while the host is changed: nothing lost, nothing doubled, nobody turned away.

PROVISION_TORTURE renews the certificate three times: of what reloads Dovecot, it happens by itself.
"""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pytest

from tests.lab.engine_fleet import ROOT, EngineFleet
from tests.lab.rehearsal import Rehearsal, until
from tests.lab.traffic import IdleSession, Log, Poller, Traffic, stored

pytestmark = pytest.mark.lab

PERSON, IDLER, NINA = "dora@blue.example", "anna@acme.example", "nina@blue.example"
RECIPIENTS = [PERSON, IDLER, "fred@quiet.example", "bob@acme.example"]
ACME, BLUE, NEW, FLEET = (
    "sites/acme.example.yml",
    "sites/blue.example.yml",
    "sites/new.example.yml",
    "fleet.yml",
)
_UNDISTURBED_SECONDS = 10
_AFTER_SECONDS = 3
_SITE = "site: new.example\nhost: mail1\noutgoing: none\nmailboxes:\n  olga: {name: Olga Old}\n"


@dataclass
class Work:
    """The host and the people at work on it."""

    rehearsal: Rehearsal
    engine: EngineFleet
    traffic: Traffic
    log: Log
    idle: IdleSession
    began: float = field(default_factory=time.monotonic)

    def failures(self) -> list[tuple[str, str]]:
        """What has failed since the last question, some seconds after the change."""
        time.sleep(_AFTER_SECONDS)
        failed = self.log.since(self.began)
        self.began = time.monotonic()
        return failed


@pytest.fixture(scope="module")
def work(rehearsal: Rehearsal) -> Iterator[Work]:
    """Everybody at work; the fleet folder and the host are put back at the end."""
    rehearsal.close()
    before = {name: (rehearsal.fleet_dir / name).read_text() for name in (ACME, BLUE, FLEET)}
    engine = EngineFleet(rehearsal.lab)
    traffic = Traffic(rehearsal, RECIPIENTS, PERSON)
    with rehearsal.lab.inside():
        idle = IdleSession(traffic.door(), IDLER, rehearsal.password(IDLER))
    with traffic.running() as log:
        yield Work(rehearsal, engine, traffic, log, idle)
    idle.close()
    for name, text in before.items():
        (rehearsal.fleet_dir / name).write_text(text)
    (rehearsal.fleet_dir / NEW).unlink(missing_ok=True)
    engine.provision("apply", "--yes", "--allow-removals")


def test_undisturbed_host_turns_nobody_away(work: Work) -> None:
    """What follows is held against this: the same people, the same pace."""
    time.sleep(_UNDISTURBED_SECONDS)
    assert work.failures() == []
    assert work.idle.is_alive()
    assert min(work.log.done[who] for who in ("writer", "submission on", "IMAP", "POP")) > 0


def test_mail_for_a_new_mailbox_is_refused_and_then_delivered(work: Work) -> None:
    """Only 550, then only 250; and what was taken is there, from the first message on."""
    poller = Poller(work.traffic, work.rehearsal.lab.namespace, NINA)
    with poller.running(), _somebody_asks_dovecot(work):
        until(lambda: poller.codes, "the first refusal")
        work.engine.edit(BLUE, "mailboxes:\n", "mailboxes:\n  nina: {name: Nina New}\n")
        work.engine.provision("apply", "--yes")
        until(lambda: 250 in poller.codes, "mail is taken")
    assert [code for code, _ in groupby(poller.codes)] == [550, 250]
    assert poller.acknowledged
    until(lambda: poller.acknowledged <= set(stored(work.rehearsal)), "every message")
    assert work.failures() == []
    assert work.idle.is_alive()


@contextmanager
def _somebody_asks_dovecot(work: Work) -> Iterator[None]:
    """Dovecot looks into the site's file in every second: what comes then it sees in the next."""
    command = f"while sleep 0.05; do doveadm user {PERSON}; done"
    work.rehearsal.run(f"systemd-run --quiet --unit=asking sh -c {shlex.quote(command)}")
    try:
        yield
    finally:
        work.rehearsal.run("systemctl stop asking.service")


ACCOUNTS = {
    "password": (BLUE, "!secret blue/emil", "!secret blue/tiny"),
    "alias": (ACME, "aliases:\n  info", "aliases:\n  press: [anna]\n  info"),
    "quota": (ACME, "quota: 5G", "quota: 6G"),
    "forward": (BLUE, "keep_copy: false", "keep_copy: true"),
    "removed mailbox": (BLUE, "  nina: {name: Nina New}\n", ""),
    "renamed mailbox": (BLUE, "  tiny: {", "  teeny: {moved_from: tiny, "),
    "domain alias": (ACME, "domain_aliases: [acme.test", "domain_aliases: [acme.test, acme.too"),
    "removed domain alias": (ACME, ", acme.too]", "]"),
    "catch-all": (ACME, "catch_all: anna", "catch_all: bob"),
}


@pytest.mark.parametrize("change", ACCOUNTS)
def test_change_of_accounts_is_felt_by_nobody(work: Work, change: str) -> None:
    work.engine.edit(*ACCOUNTS[change])
    assert "no units to move" in work.engine.provision("plan").out
    work.engine.provision("apply", "--yes")
    assert work.failures() == []
    assert work.idle.is_alive()


def test_restored_mailbox_is_felt_by_nobody(work: Work) -> None:
    work.engine.edit(BLUE, "mailboxes:\n", "mailboxes:\n  nina: {name: Nina New}\n")
    work.engine.provision("apply", "--yes")
    assert "is back on mail1" in work.engine.provision("mailbox", "restore", NINA, "--yes").out
    assert work.failures() == []
    assert work.idle.is_alive()


def test_change_of_a_smarthost_reloads_postfix_and_is_felt_by_nobody(work: Work) -> None:
    work.engine.edit(FLEET, "username: smartmail", "username: another")
    ran = work.engine.provision("apply", "--yes")
    assert "reload postfix.service" in ran.out
    assert work.failures() == []
    assert work.idle.is_alive()


def test_new_site_reloads_nginx_and_is_felt_by_nobody(work: Work) -> None:
    (work.rehearsal.fleet_dir / NEW).write_text(_SITE)
    ran = work.engine.provision("apply", "--yes")
    assert "reload nginx.service" in ran.out
    assert "dovecot.service" not in ran.out
    assert work.failures() == []
    assert work.idle.is_alive()


def test_removed_site_reloads_nginx_and_is_felt_by_nobody(work: Work) -> None:
    (work.rehearsal.fleet_dir / NEW).unlink()
    ran = work.engine.provision("apply", "--yes", "--allow-removals")
    assert "reload nginx.service" in ran.out
    assert "dovecot.service" not in ran.out
    assert work.failures() == []
    assert work.idle.is_alive()


@pytest.mark.parametrize("round_", range(3 if os.environ.get("PROVISION_TORTURE") else 1))
def test_renewed_certificate_costs_no_more_than_logins_in_progress(work: Work, round_: int) -> None:
    """Dovecot reads a certificate by a reload alone; who is logged in stays, and mail is taken."""
    (work.rehearsal.fleet_dir / ".provision/ca/issued/mail1.smartmail.example.pem").unlink()
    ran = work.engine.provision("apply", "--yes")
    assert "reload dovecot.service" in ran.out
    assert "reload postfix.service" in ran.out
    _require_logins_only(work.failures())
    assert work.idle.is_alive(), round_


def test_configuration_of_every_daemon_and_the_way_back_cost_no_more(
    work: Work, tmp_path: Path
) -> None:
    ran = work.engine.provision("apply", "--yes", before=_other_templates(tmp_path / "templates"))
    for unit in ("postfix", "dovecot", "nginx"):
        assert f"reload {unit}.service" in ran.out
    _require_logins_only(work.failures())
    work.engine.provision("rollback", "--yes")
    _require_logins_only(work.failures())
    assert work.idle.is_alive()


def test_every_acknowledged_message_is_there_exactly_once(work: Work) -> None:
    taken = set(work.log.acknowledged)
    assert len(taken) > 50

    def is_delivered() -> bool:
        work.rehearsal.run("postqueue -f")
        return taken <= set(stored(work.rehearsal))

    until(is_delivered, "every message that was taken", within=120)
    found = stored(work.rehearsal)
    assert {mark for mark in taken if found[mark] > 1} == set()


def test_restart_that_an_apply_never_makes_is_noticed(work: Work) -> None:
    """What turns people away shows: the quiet of the tests above means something."""
    assert work.failures() == []

    def is_noticed() -> bool:
        work.rehearsal.run("systemctl restart postfix.service")
        return bool(work.failures())

    until(is_noticed, "somebody was turned away", within=60)
    work.failures()


_ENDED = ("EOF", "closed", "reset", "Auth process broken")
"""What a client is told whose login Dovecot ends with a reload."""


def _require_logins_only(failures: list[tuple[str, str]]) -> None:
    """A reload ends connections that are just logging in: at most one of each kind here."""
    assert not [failure for failure in failures if failure[0].startswith("writer")]
    assert all(any(word in what for word in _ENDED) for _who, what in failures), failures
    assert len({who for who, _ in failures}) == len(failures), failures


def _other_templates(folder: Path) -> str:
    """Python that makes the program use templates with a harmless change for every daemon."""
    shutil.copytree(ROOT / "templates", folder)
    for name, old, new in (
        ("postfix/main.cf.j2", "smtpd_timeout = 120s", "smtpd_timeout = 121s"),
        ("dovecot/2.4/dovecot.conf.j2", "Mail server ready.", "Mail server is ready."),
        ("nginx/nginx.conf.j2", "keepalive_timeout 65s", "keepalive_timeout 66s"),
    ):
        path = folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    return (
        "import provision.assets; from pathlib import Path;"
        f"provision.assets.templates_dir = lambda: Path({str(folder)!r})"
    )
