"""Seeded faults of the daemons and of the accounts that they serve: how each comes about."""

from __future__ import annotations

from dataclasses import dataclass

MAIL, WORLD = "mail1", "world"

POSTFIX = "postfix reload"
DOVECOT = "doveadm reload"
NGINX = "nginx -s reload"
NO_MAIL_WAITS = "postsuper -d ALL"
_LATER = "postconf -e virtual_transport=lmtp:unix:/run/dovecot/away && postfix reload && "


@dataclass(frozen=True)
class Seed:
    """A shell command that breaks a host, and words of the fault that verify must then name.

    ``found``: outcome to what its fault must hold. ``restore`` runs when the kept files are back,
    before the daemons are restarted.
    """

    command: str
    found: dict[str, str]
    restore: str = "true"
    on: str = MAIL


def _map_without(name: str, key: str) -> str:
    """Build a Postfix map again without the entries of a pattern, as from an old backup."""
    return (
        f"cd /etc/postfix/accounts && postmap -s cdb:{name} | grep -v '{key}' > /root/{name}"
        f" && postmap cdb:/root/{name} && cat /root/{name}.cdb > {name}.cdb"
        f" && rm /root/{name} /root/{name}.cdb && {POSTFIX}"
    )


def edited_dovecot(edit: str) -> str:
    return f"sed -i '{edit}' /etc/dovecot/dovecot.conf && {DOVECOT}"


DAEMONS = {
    "Dovecot is stopped": Seed(
        "systemctl stop dovecot",
        {
            "checks.units.unit_runs": "dovecot.service does not run",
            "probes.mailboxes.imap_login": "993: Connection refused",
            "probes.submission.login_465": "login on port 465",
        },
    ),
    "Postfix is stopped": Seed(
        "systemctl stop postfix",
        {
            "checks.units.unit_runs": "postfix.service does not run",
            "probes.reachable.greets_by_its_name": "port 25: Connection refused",
            "probes.submission.login_465": "login on port 465",
        },
    ),
    "nginx is stopped": Seed(
        "systemctl stop nginx",
        {
            "checks.units.unit_runs": "nginx.service does not run",
            "probes.webmail.login_page_is_the_sites": "Connection refused",
        },
    ),
    "PHP-FPM is stopped": Seed(
        "systemctl stop php8.4-fpm",
        {
            "checks.units.unit_runs": "php8.4-fpm.service does not run",
            "probes.webmail.login_page_is_the_sites": "answers 502",
        },
    ),
    "the queue manager hangs": Seed(
        "pkill -STOP -x qmgr",
        {"probes.delivery.own_address_receives": "did not arrive"},
        restore=f"pkill -KILL -x qmgr; {NO_MAIL_WAITS}",
    ),
    "the delivery socket is gone": Seed(
        "rm /run/dovecot/postfix-lmtp",
        {
            "checks.sockets.postfix_reaches_its_neighbours": "/run/dovecot/postfix-lmtp",
            "probes.delivery.own_address_receives": "did not arrive",
        },
        restore=NO_MAIL_WAITS,
    ),
    "mail of an outage still waits": Seed(
        f"{_LATER} printf 'Subject: x\\n\\n' | sendmail anna@acme.example"
        " && while ! postqueue -j | grep -q deferred; do sleep 0.1; done"
        " && tar -C / -xpf /root/before.tar etc/postfix && postfix reload",
        {"checks.queue.mail_for_own_mailboxes_is_delivered": "anna@acme.example waits: connect"},
        restore=NO_MAIL_WAITS,
    ),
    "an upgrade left the old program running": Seed(
        "cp -a /usr/sbin/dovecot /usr/sbin/d && mv /usr/sbin/d /usr/sbin/dovecot",
        {"checks.processes.running_programs_are_the_installed_ones": "(dovecot"},
    ),
    "nginx will not start at boot": Seed(
        "systemctl disable --quiet nginx",
        {"checks.units.unit_starts_at_boot": "nginx.service does not start at boot"},
        restore="systemctl enable --quiet nginx",
    ),
    "Dovecot runs with what is no longer on disk": Seed(
        edited_dovecot("s/listener provision-....../listener provision-000000/")
        + " && tar -C / -xpf /root/before.tar etc/dovecot",
        {"checks.sockets.daemons_run_their_configuration": "dovecot.service runs with another"},
    ),
    "Dovecot would not start again": Seed(
        "echo 'unknown_setting = yes' >> /etc/dovecot/dovecot.conf",
        {"checks.dovecot.dovecot_accepts_its_configuration": "unknown_setting"},
    ),
}

ACCOUNTS = {
    "the users file has a wrong group": Seed(
        "chgrp root /etc/dovecot/accounts/acme.example.passwd"
        " && touch /etc/dovecot/accounts/acme.example.passwd",
        {
            "probes.mailboxes.imap_login": "993",
            "probes.submission.login_465": "login on port 465",
        },
    ),
    "a map is missing": Seed(
        f"mv /etc/postfix/accounts/senders.cdb /root/ && {POSTFIX}",
        {
            "checks.postfix.maps_answer": "senders does not answer",
            "probes.submission.login_465": "mail from",
        },
        restore="rm /root/senders.cdb",
    ),
    "a map is older than the accounts": Seed(
        _map_without("aliases", "^info@acme.example"),
        {"checks.accounts.postfix_knows_every_address": "info@acme.example"},
    ),
    "the catch-all is lost": Seed(
        _map_without("aliases", "^@acme.example"),
        {"probes.delivery.catch_all_accepts": "an unknown address was answered 550"},
    ),
    "a mail folder was restored as root": Seed(
        "chown -R root:root /var/mail/provision/acme.example/anna",
        {"checks.accounts.mail_folders_belong_to_the_mail_user": "acme.example/anna is root:root"},
        restore="chown -R vmail:vmail /var/mail/provision/acme.example/anna",
    ),
    "quotas are not counted": Seed(
        edited_dovecot("s/quota = yes/quota = no/"),
        {
            "probes.delivery.quota_is_visible": "GETQUOTAROOT",
            "probes.delivery.too_large_for_the_mailbox_refused": "was answered 250",
        },
    ),
    "quotas are not asked about": Seed(
        "postconf -e smtpd_recipient_restrictions=reject_unlisted_recipient && " + POSTFIX,
        {"probes.delivery.too_large_for_the_mailbox_refused": "was answered 250"},
    ),
}
