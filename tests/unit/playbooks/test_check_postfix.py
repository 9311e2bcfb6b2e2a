"""What Postfix takes without a word is found by the linter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible.module_utils.provision_check_postfix import (
    lint,
    lint_master,
    lint_sockets,
    lint_transports,
    lint_types,
    lint_values,
)

from provision.certificates.authority import LEAF_LIFE, Authority
from provision.model.address import Domain

EARLIER = datetime.now(UTC) - LEAF_LIFE - timedelta(days=1)
GOOD = {
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
    "smtpd_recipient_restrictions": (
        "reject_unlisted_recipient check_policy_service { unix:private/x, default_action=DUNNO }"
    ),
    "submission/inet/smtpd_sender_restrictions": (
        "check_sender_access inline:{ {<> = 550 5.7.1 no} }, permit_sasl_authenticated, reject"
    ),
    "smtpd_restriction_classes": "only_here",
    "only_here": "permit_auth_destination check_recipient_access static:{554 5.7.1 not here}",
    "submission/inet/smtpd_recipient_restrictions": "check_sender_access cdb:/x, only_here",
    "smtpd_tls_security_level": "may",
    "smtp_tls_security_level": "dane",
}


def test_sound_settings_pass() -> None:
    assert list(lint(GOOD)) == []


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("smtpd_relay_restrictions", "permit_mynetwork, reject", "'permit_mynetwork' is no"),
        ("a/inet/smtpd_client_restrictions", "reject_bogus", "'reject_bogus' is no restriction"),
        ("smtpd_relay_restrictions", "permit_mynetworks", "nothing in it rejects"),
        ("smtpd_sender_restrictions", "reject_rbl_client", "needs an argument"),
        ("smtpd_tls_security_level", "maybe", "'maybe' is no TLS security level"),
        ("smtpd_tls_security_level", "dane", "'dane' is no TLS security level"),
        ("smtp_tls_CAfile", "/nowhere/ca.pem", "there is no file /nowhere/ca.pem"),
        ("smtpd_tls_chain_files", "/nowhere/a.pem", "there is no file /nowhere/a.pem"),
        ("only_here", "permit_everything", "'permit_everything' is no restriction"),
    ],
)
def test_what_would_break_mail_is_found(name: str, value: str, finding: str) -> None:
    found = list(lint({**GOOD, name: value}))
    assert any(finding in line for line in found), found
    assert any(line.startswith(name) for line in found)


def test_maps_of_a_type_that_is_not_installed_are_found() -> None:
    settings = {
        "virtual_mailbox_maps": "cdb:/x, proxy:dbm:/y",
        "a/inet/smtpd_sender_restrictions": "check_sender_access inline:{ {<> = 550 5.7.1 no} }",
        "virtual_transport": "lmtp:unix:/run/x",
    }
    assert list(lint_types(settings, {"cdb", "inline"})) == [
        "virtual_mailbox_maps: Postfix here has no maps of type 'dbm'"
    ]


def test_transport_that_master_has_not_is_found() -> None:
    services = "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\nlmtp unix - - n - - lmtp\n"
    settings = {"default_transport": "smpt", "virtual_transport": "lmtp:unix:/x", "a_transport": ""}
    assert list(lint_transports(settings, services)) == [
        "default_transport: master.cf has no service 'smpt'"
    ]


def test_socket_that_dovecot_does_not_open_is_found() -> None:
    dovecot = "service auth {\n  unix_listener postfix-auth {\n    mode = 0600\n  }\n}\n"
    settings = {
        "smtpd_sasl_path": "/run/dovecot/postfix-auth",
        "smtpd_recipient_restrictions": "check_policy_service { unix:/run/dovecot/quota, x=y }",
    }
    assert list(lint_sockets(settings, dovecot)) == [
        "smtpd_recipient_restrictions: Dovecot opens no socket 'quota'"
    ]
    assert list(lint_sockets(settings, "")) == [], "Dovecot's own checker has spoken then"


def test_master_with_sound_options_passes() -> None:
    text = (
        "# comment\n"
        "smtp inet n - n - - smtpd\n"
        "  -o smtpd_tls_security_level=may\n"
        "  -o { smtpd_client_restrictions = permit }\n"
        "\n"
        "pickup unix n - n 60 1 pickup\n"
    )
    assert list(lint_master(text)) == []


@pytest.mark.parametrize("options", ["-o", "-o smtpd_x", "-o smtpd_x -o a=b"])
def test_dangling_option_is_found_with_its_line(options: str) -> None:
    text = f"pickup unix n - n 60 1 pickup\nsmtp inet n - n - - smtpd\n  {options}\n"
    assert list(lint_master(text)) == ["/etc/postfix/master.cf:2: -o without name=value"]


DEFAULTS = {
    "smtpd_recipient_limit": "1000",
    "bounce_queue_lifetime": "5d",
    "biff": "yes",
    "compatibility_level": "0",
    "default_destination_concurrency_positive_feedback": "1",
    "myhostname": "mail",
}


def test_values_of_the_kind_of_their_defaults_pass() -> None:
    sound = {
        "smtpd_recipient_limit": "100",
        "bounce_queue_lifetime": "86400",
        "submission/inet/bounce_queue_lifetime": "1d",
        "biff": "No",
        "compatibility_level": "3.10",
        "default_destination_concurrency_positive_feedback": "1/concurrency",
        "myhostname": "1.example",
        "setting_of_our_own": "x",
    }
    assert list(lint_values(sound, DEFAULTS)) == []


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("smtpd_recipient_limit", "many", "'many' is no number"),
        ("smtpd_recipient_limit", "", "'' is no number"),
        ("submission/inet/smtpd_recipient_limit", "1k", "'1k' is no number"),
        ("bounce_queue_lifetime", "1day", "'1day' is no time"),
        ("biff", "true", "'true' is neither yes nor no"),
    ],
)
def test_value_that_would_kill_its_daemon_is_found(name: str, value: str, wrong: str) -> None:
    assert list(lint_values({name: value}, DEFAULTS)) == [f"{name}: {wrong}"]


def test_value_that_refers_to_another_is_left_to_postfix() -> None:
    assert list(lint_values({"smtpd_recipient_limit": "$other"}, DEFAULTS)) == []


@pytest.mark.parametrize(("name", "found"), [("smtpd_tls_chain_files", 1), ("smtp_tls_CAfile", 0)])
def test_expired_certificate_is_found_where_it_is_shown(
    name: str, found: int, tmp_path: Path
) -> None:
    pair = Authority.create("demo", EARLIER).issue(Domain.parse("a.example"), EARLIER)
    path = tmp_path / "host.pem"
    path.write_text(pair.key.reveal() + pair.chain)
    told = [line for line in lint({name: str(path)}) if f"{path} has expired" in line]
    assert len(told) == found
