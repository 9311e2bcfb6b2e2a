"""Verify finds what is wrong: faults seeded on a host, one at a time, and taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from provision.certificates.authority import Authority
from provision.certificates.store import CertificateStore
from tests.lab.rehearsal import HOST, Rehearsal

pytestmark = pytest.mark.lab

_KEEP = "tar -C / -cpf /root/before.tar etc/postfix etc/dovecot etc/provision"
_PUT_BACK = (
    "tar -C / -xpf /root/before.tar && rm -f /etc/postfix/accounts/away"
    " && systemctl restart dovecot postfix && systemctl start nginx"
)


@dataclass(frozen=True)
class Seed:
    """A shell command that breaks the host, and what verify must then call a fault."""

    command: str
    found: frozenset[str]
    still_proved: frozenset[str] = frozenset()


SITE = "acme.example"
"""One site shows a fault as well as three, in less time."""

_RELOAD = " && postfix reload"
SEEDS = {
    "a dead Dovecot": Seed(
        "systemctl stop dovecot",
        frozenset(
            {
                "checks.units.unit_runs",
                "checks.processes.daemons_are_alive",
                "checks.ports.public_ports_are_open",
                "probes.mailboxes.imap_login",
                "probes.mailboxes.pop3_login",
                "probes.submission.login_465",
            }
        ),
        frozenset({"probes.relay.no_open_relay"}),
    ),
    "a stopped nginx": Seed(
        "systemctl stop nginx",
        frozenset(
            {
                "checks.units.unit_runs",
                "probes.webmail.mailbox_logs_in",
                "probes.tls.site_certificate_served",
            }
        ),
        frozenset({"probes.delivery.own_address_receives", "probes.tls.host_certificate_served"}),
    ),
    "a users file with a wrong group": Seed(
        "cd /etc/dovecot/accounts && chgrp root acme.example.passwd && touch acme.example.passwd",
        frozenset({"probes.submission.login_465", "probes.mailboxes.imap_login"}),
        frozenset({"checks.units.unit_runs", "checks.dovecot.dovecot_accepts_its_configuration"}),
    ),
    "a missing map": Seed(
        "mv /etc/postfix/accounts/senders.cdb /etc/postfix/accounts/away" + _RELOAD,
        frozenset({"checks.postfix.maps_answer", "probes.submission.login_465"}),
        frozenset({"checks.units.unit_runs", "checks.postfix.postfix_understands_all_settings"}),
    ),
    "an open relay": Seed(
        "postconf -e smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination"
        " mynetworks=0.0.0.0/0" + _RELOAD,
        frozenset(
            {
                "checks.postfix.only_the_host_itself_is_trusted",
                "probes.relay.no_open_relay",
                "probes.relay.own_sender_is_no_ticket",
                "checks.files.files_have_their_content",
            }
        ),
    ),
    "a login on port 25": Seed(
        "postconf -e smtpd_sasl_auth_enable=yes" + _RELOAD,
        frozenset({"probes.relay.no_login_on_25"}),
    ),
    "a misspelt setting": Seed(
        "echo 'smtpd_relay_restriction = reject' >> /etc/postfix/main.cf" + _RELOAD,
        frozenset({"checks.postfix.postfix_understands_all_settings"}),
    ),
    "mail that leaves by a wrong way": Seed(
        "postconf -e sender_dependent_default_transport_maps=" + _RELOAD,
        frozenset({"checks.routes.site_leaves_its_own_way"}),
    ),
}


@pytest.fixture
def mended(wire: Rehearsal) -> Iterator[Rehearsal]:
    """The rehearsed fleet; whatever a test breaks in its configuration is put back."""
    wire.run(_KEEP)
    try:
        yield wire
    finally:
        wire.close()  # sessions that a reload has ended
        wire.run(_PUT_BACK)


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
def test_seeded_fault_is_found(mended: Rehearsal, seed: Seed) -> None:
    mended.run(seed.command)
    faults = _faults(mended)
    assert not seed.found - set(faults), "not found"
    assert not {name: faults[name] for name in seed.still_proved & set(faults)}, "found too much"


def test_expired_certificate_is_found(mended: Rehearsal) -> None:
    store = CertificateStore(mended.fleet_dir / ".provision" / "ca")
    stored = store.read_authority()
    assert stored
    long_ago = datetime.now(UTC) - timedelta(days=100)
    pair = Authority.of(stored).issue(mended.fleet.host(HOST).fqdn, long_ago)
    for name, text in (
        ("host.crt", pair.chain),
        ("host.key", pair.key.reveal()),
        ("host.pem", pair.key.reveal() + pair.chain),
    ):
        mended.lab.run(HOST, ["sh", "-c", f"cat > /etc/provision/tls/{name}"], stdin=text)
    mended.run("postfix reload && doveadm reload")
    assert "expired" in _faults(mended)["probes.tls.host_certificate_served"]


def test_unreachable_host_is_told_from_a_fault(wire: Rehearsal) -> None:
    wire.lab.unplug(HOST)
    try:
        said = wire.provision("verify", "--format", "json", code=5)
    finally:
        wire.lab.plug(HOST)
    outcomes = json.loads(said)["outcomes"]
    assert [one["verdict"] for one in outcomes] == ["unreachable"]
    assert "no answer" in outcomes[0]["fault"]


def test_everything_is_proved_again_at_the_end(wire: Rehearsal) -> None:
    assert "Verified:" in wire.provision("verify")


def _faults(wire: Rehearsal) -> dict[str, str]:
    """What was found by name, from a run that must end in exit code 4."""
    report = json.loads(wire.provision("verify", "--site", SITE, "--format", "json", code=4))
    return {one["name"]: one["fault"] for one in report["outcomes"] if one["verdict"] != "proved"}
