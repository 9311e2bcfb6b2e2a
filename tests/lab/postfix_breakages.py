"""Ways to break Postfix's configuration, each in one place of our templates.

``postfix check`` passes most of them; Postfix then answers 451 to all mail, or nothing at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REFUSED, ROLLED_BACK = 6, 7
"""Exit codes: before anything went live; and live for no longer than the proof took."""

LINT, WARNING = "ours", "the program's own"

MAIN, MASTER = "postfix/main.cf.j2", "postfix/master.cf.j2"


@dataclass(frozen=True)
class Breakage:
    """``old`` becomes ``new`` in a template; an empty ``old`` is the whole template."""

    template: str
    old: str
    new: str
    said: str
    """A finding, or the reason of the way back, must hold it; that the plan does proves nothing."""
    code: int = REFUSED
    layer: str = ""
    """Breakages of one program that are found together; without one, a finding hides others."""
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Paths of the host to what their mode, owner or group becomes; then no template is broken."""


def closed(path: str, said: str, code: int = REFUSED, layer: str = "", **wrong: Any) -> Breakage:
    """A file or folder that comes with another mode, owner or group than its readers need."""
    return Breakage("", "", "", said, code, layer, attributes={path: wrong})


POSTFIX = {
    "empty main.cf": Breakage(MAIN, "", "", "main.cf: holds no setting at all"),
    "misspelt restriction": Breakage(
        MAIN,
        "reject_unlisted_recipient",
        "reject_unlistd_recipient",
        "'reject_unlistd_recipient' is no restriction that Postfix knows",
        layer=LINT,
    ),
    "misspelt restriction of a service": Breakage(
        MASTER,
        "reject_sender_login_mismatch",
        "reject_sender_mismatch",
        "'reject_sender_mismatch' is no restriction that Postfix knows",
        layer=LINT,
    ),
    "relay restrictions that reject nothing": Breakage(
        MAIN,
        "smtpd_relay_restrictions = reject_unauth_destination",
        "smtpd_relay_restrictions = permit_mynetworks",
        "nothing in it rejects: an open relay",
        layer=LINT,
    ),
    "missing map": Breakage(
        MAIN,
        "virtual_mailbox_maps = $accounts/mailboxes",
        "virtual_mailbox_maps = $accounts/nowhere",
        "cdb:/etc/postfix/accounts/nowhere",
        layer=LINT,
    ),
    "map of a type that is not installed": Breakage(
        MAIN,
        "virtual_mailbox_domains = $accounts/domains",
        "virtual_mailbox_domains = dbm:/etc/postfix/domains",
        "has no maps of type 'dbm'",
        layer=LINT,
    ),
    "no TLS level": Breakage(
        MAIN,
        "smtpd_tls_security_level = may",
        "smtpd_tls_security_level = maybe",
        "'maybe' is no TLS security level",
        layer=LINT,
    ),
    "missing certificate": Breakage(
        MAIN,
        "smtpd_tls_chain_files = ",
        "smtpd_tls_chain_files = /etc/provision/tls/nowhere.pem, ",
        "there is no file /etc/provision/tls/nowhere.pem",
        layer=LINT,
    ),
    "certificate without its key": Breakage(
        MAIN,
        "smtpd_tls_chain_files = /etc/provision/tls/host.pem",
        "smtpd_tls_chain_files = /etc/provision/tls/host.crt",
        "/etc/provision/tls/host.crt holds no key with a certificate that fits",
    ),
    "misspelt parameter": Breakage(
        MAIN,
        "disable_vrfy_command",
        "disable_vrfi_command",
        "unused parameter: disable_vrfi_command",
        layer=WARNING,
    ),
    "parameter given twice": Breakage(
        MAIN,
        "biff = no",
        "biff = no\nbiff = yes",
        "overriding earlier entry: biff=no",
        layer=WARNING,
    ),
    "comment after a value": Breakage(
        MAIN,
        "swap_bangpath = no",
        "swap_bangpath = no # not now",
        "#comment after other text",
        layer=WARNING,
    ),
    "size with a bad unit": Breakage(
        MAIN,
        "message_size_limit = ",
        "message_size_limit = 10MBB\n# ",
        "message_size_limit = 10MBB",
    ),
    "number that is a word": Breakage(
        MAIN,
        "smtpd_recipient_limit = 100",
        "smtpd_recipient_limit = many",
        "smtpd_recipient_limit: 'many' is no number",
        layer=LINT,
    ),
    "number of the queue manager that is a word": Breakage(
        MAIN,
        "lmtp_destination_concurrency_failed_cohort_limit = 0",
        "lmtp_destination_concurrency_failed_cohort_limit = none",
        "lmtp_destination_concurrency_failed_cohort_limit: 'none' is no number",
        layer=LINT,
    ),
    "time with a bad unit": Breakage(
        MAIN,
        "bounce_queue_lifetime = 1d",
        "bounce_queue_lifetime = 1day",
        "bounce_queue_lifetime: '1day' is no time",
        layer=LINT,
    ),
    "neither yes nor no": Breakage(
        MAIN,
        "smtpd_per_request_deadline = yes",
        "smtpd_per_request_deadline = true",
        "smtpd_per_request_deadline: 'true' is neither yes nor no",
        layer=LINT,
    ),
    "expired certificate": Breakage(
        MAIN,
        "smtpd_tls_chain_files = /etc/provision/tls/host.pem",
        "smtpd_tls_chain_files = /root/expired.pem",
        "the certificate in /root/expired.pem has expired",
    ),
    "main.cf that root alone can read": closed(
        "/etc/postfix/main.cf", "main.cf: not everybody can read it", layer=LINT, mode=0o600
    ),
    "line without an equals sign": Breakage(
        MAIN, "biff = no", "biff no", "missing '=' after attribute name"
    ),
    "unknown transport": Breakage(
        MAIN,
        "default_transport = smtp",
        "default_transport = smpt",
        "default_transport: master.cf has no service 'smpt'",
        layer=LINT,
    ),
    "too few fields in master.cf": Breakage(
        MASTER,
        "smtp      inet  n       -       n       -       -       smtpd",
        "smtp      inet  n       -       n       smtpd",
        "master.cf",
    ),
    "bad chroot flag in master.cf": Breakage(
        MASTER,
        "smtp      inet  n       -       n       -       -       smtpd",
        "smtp      inet  n       -       maybe   -       -       smtpd",
        'invalid chroot field "maybe"',
    ),
    "-o without a value in master.cf": Breakage(
        MASTER,
        "    -o smtpd_helo_restrictions=",
        "    -o",
        "-o without name=value",
    ),
    "451 to all mail": Breakage(
        MAIN,
        "smtpd_sender_restrictions = reject_non_fqdn_sender",
        "smtpd_sender_restrictions = check_sender_access tcp:127.0.0.1:9",
        "port 25 answers 451",
        ROLLED_BACK,
    ),
    "deliveries to nobody": Breakage(
        MAIN,
        "lmtp:unix:/run/dovecot/postfix-lmtp",
        "lmtp:unix:/run/dovecot/nowhere",
        "virtual_transport: Dovecot opens no socket 'nowhere'",
        layer=LINT,
    ),
    "submission that asks nobody about logins": Breakage(
        MAIN,
        "smtpd_sasl_path = /run/dovecot/postfix-auth",
        "smtpd_sasl_path = /run/dovecot/nowhere",
        "smtpd_sasl_path: Dovecot opens no socket 'nowhere'",
        layer=LINT,
    ),
}
