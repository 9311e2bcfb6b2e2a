"""What Dovecot cannot take while it is moved arrives when it serves again, not minutes later."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.rehearsal import Rehearsal, until

pytestmark = pytest.mark.lab

PEOPLE = ("anna@acme.example", "dora@blue.example", "fred@quiet.example")
_BURST = 60
"""Far more for one person than Dovecot delivers at once by default (10)."""
_HELD = 3
"""Processes of the moment of the reload hold these, until Dovecot ends them (apply.md)."""
_WITHIN = 60
"""Seconds; Postfix alone would try again after 300 (postconf(5), minimal_backoff_time)."""


@pytest.fixture
def host(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """A host as the spec asks, with nothing in its queue; so again afterwards."""
    rehearsal.provision("apply", "--yes")
    rehearsal.run("postsuper -d ALL")
    yield rehearsal
    rehearsal.run("systemctl start dovecot.service; postsuper -d ALL")
    rehearsal.provision("apply", "--yes")


def test_mail_that_waits_for_dovecot_is_delivered_by_the_apply_that_starts_it(
    host: Rehearsal,
) -> None:
    host.run("systemctl stop dovecot.socket dovecot.service")
    host.run(f"for n in $(seq {_BURST}); do {_letter('waiting', PEOPLE[0])}; done")
    until(lambda: _queued(host, "deferred") == _BURST, "everything is put off", within=_WITHIN)
    host.provision("apply", "--yes")
    _require(host, "waiting", _BURST)


@pytest.mark.parametrize("round_", range(3))
def test_reload_amid_many_deliveries_fails_no_apply_and_puts_nobody_off(
    host: Rehearsal, round_: int
) -> None:
    """Connections are lost, children die for want of settings: no reason to go back or to wait."""
    subject = f"flood{round_}"
    (host.fleet_dir / ".provision/ca/issued/mail1.smartmail.example.pem").unlink()
    with _flood(host, subject) as sent:
        assert "reload dovecot.service" in host.provision("apply", "--yes")
    assert len(sent) > 100
    _require(host, subject, len(sent), but=_HELD)


@contextmanager
def _flood(host: Rehearsal, subject: str) -> Iterator[list[str]]:
    """Mail for some people at once, ever more of it; a line for each that was sent, afterwards."""
    sent: list[str] = []
    host.run("touch /run/flood; : >/run/flooded")
    for number, person in enumerate(PEOPLE):
        send = f"{_letter(subject, person)} && echo sent >>/run/flooded; sleep 0.05"
        loop = shlex.quote(f"while test -e /run/flood; do {send}; done")
        host.run(f"systemd-run --quiet --unit=flood{number} sh -c {loop}")
    try:
        yield sent
    finally:
        host.run("rm /run/flood")
        units = " ".join(f"flood{number}.service" for number in range(len(PEOPLE)))
        until(lambda: not host.run(f"systemctl is-active {units} | grep -x active || true"), units)
        sent += host.run("cat /run/flooded").splitlines()


def _require(host: Rehearsal, subject: str, count: int, *, but: int = 0) -> None:
    """All ``but`` a few are there, and these are in the queue."""
    until(lambda: _arrived(host, subject) >= count - but, f"all of {subject}", within=_WITHIN)
    words = f"none of {count} lost, none doubled"
    until(lambda: _arrived(host, subject) + _queued(host) == count, words)


def _letter(subject: str, recipient: str) -> str:
    """A shell command that hands one message to the host's own queue."""
    return f'printf "Subject: {subject}\\n\\nHello.\\n" | sendmail {recipient}'


def _queued(host: Rehearsal, queue: str = "") -> int:
    """How many messages still have somebody to go to.

    What is delivered while Postfix reloads stays listed, with nobody left, until its new queue
    manager looks through the queue again (qmgr(8)).
    """
    listed = map(json.loads, host.run("postqueue -j").splitlines())
    return sum(bool(one["recipients"]) and one["queue_name"].startswith(queue) for one in listed)


def _arrived(host: Rehearsal, subject: str) -> int:
    found = host.run(
        f"grep -rlx 'Subject: {subject}' --include='*mail1*' /var/mail/provision || true"
    )
    return len({line.rpartition("/")[2].partition(":")[0] for line in found.splitlines()})
