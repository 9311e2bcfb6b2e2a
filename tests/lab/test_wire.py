"""Over the wire: what the demo fleet promises its customers, tried with their own programs."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from provision.verify.probes import clients
from tests.lab import quiet_logs
from tests.lab.browser import webmail
from tests.lab.quiet_logs import assert_quiet_since
from tests.lab.rehearsal import Rehearsal, new_message, until

pytestmark = pytest.mark.lab

beginning = quiet_logs.beginning  # fixture: where the host's journal ended before the first test
ANNA, BOB, DORA = "anna@acme.example", "bob@acme.example", "dora@blue.example"
TINY, FRED = "tiny@blue.example", "fred@quiet.example"
HOME = "bob@home.example"


# Logins


@pytest.mark.parametrize("port", [465, 587])
def test_person_logs_in_to_submission(wire: Rehearsal, port: int) -> None:
    assert wire.sender(ANNA, port).noop()[0] == 250


def test_person_logs_in_to_imap_and_pop3(wire: Rehearsal) -> None:
    assert wire.reader(ANNA).state == "SELECTED"
    collector = wire.collector(ANNA)
    assert collector.stat()[0] >= 0
    collector.quit()


def test_login_is_the_full_address_in_any_case_and_nothing_less(wire: Rehearsal) -> None:
    client = clients.imap(wire.door)
    client.login("Anna@ACME.example", wire.password(ANNA))
    client.logout()
    client = clients.imap(wire.door)
    with pytest.raises(imaplib.IMAP4.error):
        client.login("anna", wire.password(ANNA))
    client.shutdown()


def test_submission_takes_no_password_without_tls(wire: Rehearsal) -> None:
    client = clients.smtp(wire.door, 587)
    client.ehlo()
    assert not client.has_extn("auth")
    with pytest.raises(smtplib.SMTPNotSupportedError):
        client.login(ANNA, wire.password(ANNA))
    assert client.docmd("MAIL", f"FROM:<{ANNA}>")[0] == 530
    client.quit()


@pytest.mark.parametrize("port", [110, 143])
def test_old_ports_without_tls_are_closed(wire: Rehearsal, port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        wire.door.connect(port)


@pytest.mark.parametrize("port", [465, 993, 995])
def test_ports_with_tls_do_not_speak_without_it(wire: Rehearsal, port: int) -> None:
    with wire.door.connect(port) as plain:
        plain.settimeout(5)
        plain.sendall(b"EHLO x\r\n")
        try:
            answer = plain.recv(200)
        except (ConnectionResetError, TimeoutError):
            answer = b""
    assert not answer.startswith((b"220", b"250", b"* OK", b"+OK"))


def test_wrong_password_is_refused_everywhere(wire: Rehearsal) -> None:
    with clients.submission(wire.door, 587) as smtp:
        smtp.ehlo()
        smtp.user, smtp.password = ANNA, "wrong"
        with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
            smtp.auth("PLAIN", smtp.auth_plain)
    imap = clients.imap(wire.door)
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        imap.login(ANNA, "wrong")
    imap.shutdown()
    pop3 = clients.pop3(wire.door)
    pop3.user(ANNA)
    with pytest.raises(poplib.error_proto):
        pop3.pass_("wrong")
    pop3.close()


# Refusals


@pytest.mark.parametrize(
    "recipient", ["nobody@blue.example", "nobody@quiet.example", "dora@sub.blue.example"]
)
def test_unknown_recipient_is_refused_at_rcpt(wire: Rehearsal, recipient: str) -> None:
    with clients.smtp(wire.door) as client:
        client.ehlo()
        client.mail(HOME)
        assert client.rcpt(recipient)[0] in (550, 554)


def test_full_mailbox_is_refused_in_session(wire: Rehearsal) -> None:
    filling = "x" * 70 + "\r\n"
    for _ in range(4):
        try:
            wire.received(TINY, wire.send_from_world(TINY, text=filling * 350))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
            break
    with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)) as refused:
        wire.send_from_world(TINY, text=filling * 350)
    assert "552" in str(refused.value)


@pytest.mark.parametrize(
    "forged", [DORA, BOB, "info@blue.example", "someone@home.example", "anna@smartmail.example"]
)
def test_sender_that_is_not_the_logins_own_is_refused(wire: Rehearsal, forged: str) -> None:
    client = clients.submission(wire.door, 465)
    client.login(ANNA, wire.password(ANNA))
    client.mail(forged)
    assert client.rcpt(DORA)[0] == 553
    client.close()


@pytest.mark.parametrize("own", [ANNA, "a.ask@acme.example", "anna@acme.test", "info@acme.example"])
def test_every_address_of_ones_own_is_a_sender(wire: Rehearsal, own: str) -> None:
    client = wire.sender(ANNA, 587)
    client.mail(own)
    assert client.rcpt(DORA)[0] == 250
    client.rset()


@pytest.mark.parametrize("sender", ["", HOME, ANNA])
def test_stranger_relays_nothing(wire: Rehearsal, sender: str) -> None:
    with clients.smtp(wire.door) as client:
        client.ehlo()
        client.mail(sender)
        assert client.rcpt("victim@partner.example")[0] == 554
    assert not wire.lab.read_outside("victim@partner.example")


def test_no_login_is_offered_to_the_world(wire: Rehearsal) -> None:
    with clients.smtp(wire.door) as client:
        client.starttls(context=wire.door.tls)
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AGEAYg==")[0] == 503


# Webmail


def test_person_reads_and_sends_in_webmail(wire: Rehearsal) -> None:
    waiting = wire.send(DORA, ANNA, text="Read me in the browser.\n")
    wire.received(ANNA, waiting)
    with webmail("acme.example", address=wire.address, authority=wire.authority) as person:
        person.open()
        assert "Acme Mail" in person.page.title()
        person.log_in(ANNA, wire.password(ANNA))
        assert "Read me in the browser." in person.read(waiting)
        subject = str(new_message(ANNA, DORA)["Subject"])
        person.send(to=DORA, subject=subject, text="Sent from the browser.")
        person.log_out()
        assert person.complaints == []
    message = wire.received(DORA, subject)
    assert "Sent from the browser." in message.get_content()
    assert ANNA in str(message["From"])


def test_webmail_shows_each_site_its_own_name(wire: Rehearsal) -> None:
    with webmail("blue.example", address=wire.address, authority=wire.authority) as person:
        person.open()
        assert "Blue Mail" in person.page.title()
        assert person.refused_login(DORA, "wrong")


# A change of accounts, while everybody is at work


def test_new_mailbox_receives_at_once_and_an_idle_session_lives_on(wire: Rehearsal) -> None:
    idle = _idle_session(wire, DORA)
    began = wire.run("date +%s").strip()
    processes = wire.run("systemctl show -p ExecMainStartTimestampMonotonic postfix dovecot nginx")
    addition = "mailboxes:\n  gina: {name: Gina Gray}\n"
    with wire.edited("sites/blue.example.yml", lambda s: s.replace("mailboxes:\n", addition)):
        planned = wire.provision("plan", "--detailed-exitcode", code=2)
        assert "gina@blue.example" in planned
        assert "no units to move" in planned
        applied = wire.provision("apply", "--yes")
        assert "gina@blue.example" in applied
        with clients.smtp(wire.door) as client:
            client.send_message(new_message(HOME, "gina@blue.example"), HOME)
        until(lambda: "1" in _messages(wire, "gina@blue.example"), "mail for the new mailbox")
        subject = wire.send_from_world(DORA)
        assert b"EXISTS" in _line_with(idle, b"EXISTS")
        idle.send(b"DONE\r\n")
        assert b"OK" in _line_with(idle, b"i1 ")
        wire.received(DORA, subject)
        idle.shutdown()
    reloaded = f"journalctl --since=@{began} -o cat -q | grep -ciE 'reload|SIGHUP' || true"
    assert wire.run(reloaded).strip() == "0"
    after = wire.run("systemctl show -p ExecMainStartTimestampMonotonic postfix dovecot nginx")
    assert after == processes
    wire.provision("apply", "--yes")


# At the end


def test_verify_proves_the_fleet_and_writes_a_report(wire: Rehearsal, tmp_path: Path) -> None:
    junit = tmp_path / "reports" / "verify.xml"
    said = wire.provision("verify", "--junit", str(junit))
    assert "Verified:" in said
    suites = ET.parse(junit).getroot()
    assert {suite.get("name") for suite in suites} >= {"mail1", "mail1 acme.example"}
    assert sum(int(suite.get("tests") or 0) for suite in suites) > 140


def test_second_plan_says_that_nothing_changes(wire: Rehearsal) -> None:
    assert "No changes" in wire.provision("plan", "--detailed-exitcode")


def test_queue_is_empty_and_logs_are_quiet(wire: Rehearsal, beginning: str) -> None:
    assert_quiet_since(beginning, wire)


def _idle_session(wire: Rehearsal, address: str) -> imaplib.IMAP4:
    client = clients.imap(wire.door)
    client.login(address, wire.password(address))
    client.select("INBOX")
    client.send(b"i1 IDLE\r\n")
    assert client.readline().startswith(b"+")
    return client


def _messages(wire: Rehearsal, address: str) -> str:
    return wire.run(f"doveadm -f flow mailbox status -u {address} messages INBOX")


def _line_with(client: imaplib.IMAP4, part: bytes) -> bytes:
    client.sock.settimeout(20)
    while part not in (line := client.readline()):
        assert line, "the session was closed"
    return line
