"""Over the wire: mail of the demo fleet arrives where its spec says, by the way that it says."""

from __future__ import annotations

import smtplib

import pytest

from provision.lab.world.kept import KeptMessage
from provision.verify.probes import clients
from tests.lab import quiet_logs
from tests.lab.quiet_logs import assert_quiet_since
from tests.lab.rehearsal import Rehearsal, until

pytestmark = pytest.mark.lab

beginning = quiet_logs.beginning  # fixture: where the host's journal ended before the first test
ANNA, BOB, DORA = "anna@acme.example", "bob@acme.example", "dora@blue.example"
EMIL, FRED = "emil@blue.example", "fred@quiet.example"
HOME = "bob@home.example"


# Delivery


def test_mail_between_two_sites_arrives(wire: Rehearsal) -> None:
    there = wire.send(ANNA, DORA, text="Dear Dora.\n")
    message = wire.received(DORA, there)
    assert message["From"] == ANNA
    assert "Dear Dora." in message.get_content()
    back = wire.send(DORA, ANNA)
    wire.received(ANNA, back)


def test_mail_from_the_world_arrives(wire: Rehearsal) -> None:
    wire.received(DORA, wire.send_from_world(DORA))


def test_collected_by_pop3(wire: Rehearsal) -> None:
    subject = wire.send(ANNA, FRED)
    wire.received(FRED, subject)
    collector = wire.collector(FRED)
    count, _ = collector.stat()
    _, lines, _ = collector.top(count, 0)
    collector.quit()
    assert f"Subject: {subject}".encode() in lines


def test_alias_reaches_each_of_its_mailboxes(wire: Rehearsal) -> None:
    subject = wire.send_from_world("info@acme.example")
    wire.received(ANNA, subject)
    wire.received(BOB, subject)


def test_alias_reaches_mailbox_and_address_elsewhere(wire: Rehearsal) -> None:
    subject = wire.send_from_world("sales@acme.example")
    wire.received(ANNA, subject)
    _arrived_outside(wire, "sales@partner.example", subject)


def test_second_name_of_a_mailbox_reaches_it(wire: Rehearsal) -> None:
    wire.received(ANNA, wire.send_from_world("a.ask@acme.example"))


def test_forward_with_a_copy_keeps_it(wire: Rehearsal) -> None:
    subject = wire.send_from_world(BOB)
    wire.received(BOB, subject)
    _arrived_outside(wire, HOME, subject)


def test_forward_without_a_copy_keeps_none(wire: Rehearsal) -> None:
    subject = wire.send_from_world(EMIL)
    _arrived_outside(wire, "emil@home.example", subject)
    assert not wire.has_received(EMIL, subject)


def test_forward_leaves_by_its_sites_own_way_and_as_its_site(wire: Rehearsal) -> None:
    by_smarthost = wire.send_from_world(BOB)
    by_itself = wire.send_from_world(EMIL)
    forwarded = _arrived_outside(wire, HOME, by_smarthost)
    assert forwarded.sender.endswith("@acme.example")
    assert forwarded.client_address != wire.address
    forwarded = _arrived_outside(wire, "emil@home.example", by_itself)
    assert forwarded.sender.endswith("@blue.example")
    assert forwarded.client_address == wire.address


def test_domain_alias_has_the_same_addresses(wire: Rehearsal) -> None:
    wire.received(ANNA, wire.send_from_world("anna@acme.test"))
    wire.received(ANNA, wire.send_from_world("info@acme.test"))


def test_catch_all_takes_what_nobody_has(wire: Rehearsal) -> None:
    wire.received(ANNA, wire.send_from_world("never.heard.of@acme.example"))


def test_plus_address_reaches_its_mailbox(wire: Rehearsal) -> None:
    wire.received(DORA, wire.send_from_world("dora+shopping@blue.example"))


@pytest.mark.parametrize("local", ["postmaster", "abuse"])
@pytest.mark.parametrize("domain", ["acme.example", "acme.test", "blue.example", "quiet.example"])
def test_postmaster_and_abuse_are_heard(wire: Rehearsal, local: str, domain: str) -> None:
    with clients.smtp(wire.door) as client:
        client.ehlo()
        client.mail(HOME)
        assert client.rcpt(f"{local}@{domain}")[0] == 250
        client.rset()


# Ways out


def test_site_leaves_through_its_smarthost_with_exactly_its_login(wire: Rehearsal) -> None:
    smarthost = wire.fleet.smarthost("yourisp")
    subject = wire.send(ANNA, HOME)
    arrived = _arrived_outside(wire, HOME, subject)
    taken = [kept for kept in wire.lab.read_smarthost() if kept.subject == subject]
    assert [(kept.login, kept.sender) for kept in taken] == [(smarthost.username, ANNA)]
    assert taken[0].client_address == wire.address
    assert arrived.client_address != wire.address


def test_other_site_leaves_by_itself_and_no_smarthost_sees_it(wire: Rehearsal) -> None:
    subject = wire.send(DORA, HOME)
    arrived = _arrived_outside(wire, HOME, subject)
    assert arrived.client_address == wire.address
    assert arrived.sender == DORA
    assert [kept for kept in wire.lab.read_smarthost() if kept.subject == subject] == []


def test_site_with_no_way_out_is_told_in_session(wire: Rehearsal) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="sends no mail to other hosts"):
        wire.send(FRED, HOME)


def test_site_with_no_way_out_mails_its_neighbours(wire: Rehearsal) -> None:
    wire.received(ANNA, wire.send(FRED, ANNA))


# At the end


def test_delivery_leaves_an_empty_queue_and_quiet_logs(wire: Rehearsal, beginning: str) -> None:
    assert_quiet_since(beginning, wire)


def _arrived_outside(wire: Rehearsal, address: str, subject: str) -> KeptMessage:
    return until(
        lambda: next((m for m in wire.lab.read_outside(address) if m.subject == subject), None),
        f"{subject!r} at {address}",
    )
