"""The faults that verify is scored on: how each comes about, and what verify must say of it.

Each is seeded as it happens in practice: a daemon dies, a map is left out, a file is restored with
the wrong owner, somebody opens a port "for a moment".
"""

from __future__ import annotations

from dataclasses import dataclass

MAIL, WORLD = "mail1", "world"

_POSTFIX = "postfix reload"
_DOVECOT = "doveadm reload"
_NGINX = "nginx -s reload"
_NO_MAIL_WAITS = "postsuper -d ALL"
_DNS = "sed -i '/^remote-control:/i\\    local-data: \"{}\"' /etc/unbound/unbound.conf"
_IS_SERVED = (
    "while [ $(openssl s_client -connect 127.0.0.1:993 </dev/null 2>/dev/null | openssl x509 |"
    " sha256sum | cut -c-64) != $(openssl x509 -in /root/other.crt | sha256sum | cut -c-64) ];"
    " do sleep 0.1; done"
)
_PUT_BACK = "tar -C / -xpf /root/before.tar"
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
        f" && rm /root/{name} /root/{name}.cdb && {_POSTFIX}"
    )


def _certificate(name: str) -> str:
    """Put one of the certificates that the test has issued in the host's place."""
    files = " ".join(f"cat /root/{name}.{end} > host.{end};" for end in ("crt", "key", "pem"))
    return f"{{ cd /etc/provision/tls; {files} }}"


def _dovecot(edit: str) -> str:
    return f"sed -i '{edit}' /etc/dovecot/dovecot.conf && {_DOVECOT}"


DAEMONS = {
    "Dovecot is stopped": Seed(
        "systemctl stop dovecot",
        {
            "checks.units.unit_runs": "dovecot.service does not run",
            "probes.mailboxes.imap_login": "993: Connection refused",
            "probes.submission.login_465": "login on port 465",
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
        restore=f"pkill -KILL -x qmgr; {_NO_MAIL_WAITS}",
    ),
    "the delivery socket is gone": Seed(
        "rm /run/dovecot/postfix-lmtp",
        {
            "checks.sockets.postfix_reaches_its_neighbours": "/run/dovecot/postfix-lmtp",
            "probes.delivery.own_address_receives": "did not arrive",
        },
        restore=_NO_MAIL_WAITS,
    ),
    "mail of an outage still waits": Seed(
        f"{_LATER} printf 'Subject: x\\n\\n' | sendmail anna@acme.example"
        " && while ! postqueue -j | grep -q deferred; do sleep 0.1; done"
        " && tar -C / -xpf /root/before.tar etc/postfix && postfix reload",
        {"checks.queue.mail_for_own_mailboxes_is_delivered": "anna@acme.example waits: connect"},
        restore=_NO_MAIL_WAITS,
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
        _dovecot("s/listener provision-....../listener provision-000000/")
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
        f"mv /etc/postfix/accounts/senders.cdb /root/ && {_POSTFIX}",
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
    "quotas are not asked about": Seed(
        "postconf -e smtpd_recipient_restrictions=reject_unlisted_recipient && " + _POSTFIX,
        {"probes.delivery.too_large_for_the_mailbox_refused": "was answered 250"},
    ),
}

DOORS = {
    "an open relay": Seed(
        "postconf -e smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination"
        f" mynetworks=0.0.0.0/0 && {_POSTFIX}",
        {
            "probes.relay.no_open_relay": "nobody@example.net from <> is accepted",
            "probes.relay.own_sender_is_no_ticket": "relays without a login",
            "checks.postfix.only_the_host_itself_is_trusted": "0.0.0.0/0",
        },
    ),
    "logins on port 25": Seed(
        f"postconf -e smtpd_sasl_auth_enable=yes && {_POSTFIX}",
        {"probes.relay.no_login_on_25": "AUTH is offered on port 25"},
    ),
    "submission without a login": Seed(
        "postconf -P submission/inet/mynetworks=198.18.0.0/24"
        " submission/inet/smtpd_relay_restrictions=permit_mynetworks,reject"
        " submission/inet/smtpd_recipient_restrictions=permit_mynetworks,reject"
        f" submission/inet/smtpd_sender_restrictions=permit_mynetworks,reject && {_POSTFIX}",
        {"probes.relay.submission_needs_login": "587 takes mail to nobody@example.net"},
    ),
    "anybody's address as sender": Seed(
        "postconf -P submissions/inet/smtpd_sender_restrictions=permit_sasl_authenticated,reject"
        f" && {_POSTFIX}",
        {"probes.submission.foreign_sender_refused": "may send as somebody@example.net"},
    ),
    "passwords without TLS on 587": Seed(
        "postconf -P submission/inet/smtpd_tls_security_level=may"
        f" submission/inet/smtpd_tls_auth_only=no && {_POSTFIX}",
        {"probes.cleartext.submission_needs_tls": "587 offers AUTH without TLS"},
    ),
    "IMAP and POP3 without TLS": Seed(
        "sed -i 's/^    port = 0/    port = 143/; /inet_listener pop3 {/,/}/s/143/110/;"
        " s/^auth_allow_cleartext = no/auth_allow_cleartext = yes/; s/^ssl = required/ssl = yes/'"
        f" /etc/dovecot/dovecot.conf && {_DOVECOT}"
        " && nft insert rule inet provision input tcp dport '{ 110, 143 }' accept",
        {
            "checks.firewall.firewall_is_live": "110, 143",
            "probes.cleartext.imap_needs_tls": "143",
            "probes.cleartext.pop3_needs_tls": "110",
            "checks.ports.nothing_else_listens_to_the_world": "dovecot listens on 0.0.0.0:1",
        },
        restore="systemctl reload provision-firewall",
    ),
    "TLS 1.0": Seed(
        _dovecot(
            "s/^ssl_min_protocol.*/ssl_min_protocol = TLSv1/; s/^ssl_cipher.*/"
            "ssl_cipher_list = ALL:@SECLEVEL=0/"
        ),
        {"probes.tls.old_tls_refused": "port 993 accepts TLSv1"},
    ),
    "webmail without TLS": Seed(
        "sed -i 's,^        return 301 .*,        root /var/lib/roundcube/public_html;,'"
        f" /etc/nginx/provision/webmail-acme.example.conf && {_NGINX}",
        {"probes.webmail.http_leads_to_https": "http://webmail.acme.example/ answers"},
    ),
    "the network swallows IMAP": Seed(
        "ip rule add ipproto tcp sport 993 blackhole",
        {"probes.mailboxes.imap_login": "993: no answer in time"},
        restore="ip rule del ipproto tcp sport 993 blackhole",
    ),
    "a misspelt setting": Seed(
        f"echo 'smtpd_relay_restriction = reject' >> /etc/postfix/main.cf && {_POSTFIX}",
        {"checks.postfix.postfix_understands_all_settings": "smtpd_relay_restriction"},
    ),
    "a foreign file in a folder of ours": Seed(
        f"echo 'server {{ listen 8081; }}' > /etc/nginx/provision/old.conf && {_NGINX}",
        {
            "checks.files.folders_hold_nothing_foreign": "/etc/nginx/provision/old.conf",
            "checks.ports.nothing_else_listens_to_the_world": ":8081",
        },
        restore="rm /etc/nginx/provision/old.conf",
    ),
    "another site's certificate": Seed(
        "cd /etc/provision/tls/sites && cp blue.example.crt acme.example.crt"
        f" && cp blue.example.key acme.example.key && {_NGINX}",
        {"probes.tls.site_certificate_served": "Hostname mismatch"},
    ),
}

WAYS = {
    "mail leaves by a wrong way": Seed(
        f"postconf -e sender_dependent_default_transport_maps= && {_POSTFIX}",
        {"checks.routes.site_leaves_its_own_way": "mail of acme.example would leave by nothing"},
    ),
    "the smarthost's password has changed": Seed(
        "sed -i 's/^smartmail:[^:]*/smartmail:{PLAIN}another/' /etc/dovecot/logins",
        {"checks.routes.smarthost_takes_our_login": "smtp.yourisp.example:587: 535"},
        on=WORLD,
    ),
    "the host asks a name server that is gone": Seed(
        "echo nameserver 127.0.0.1 > /etc/resolv.conf",
        {"checks.host.host_resolves_names": "does not find mail1.smartmail.example"},
    ),
    "the webmail's name leads elsewhere": Seed(
        _DNS.format("webmail.acme.example. A 198.18.0.2") + " && systemctl restart unbound",
        {"probes.reachable.webmail_name_leads_to_host": "webmail.acme.example leads to 198.18.0.2"},
        on=WORLD,
        restore="systemctl restart unbound",
    ),
    "the domain's mail goes elsewhere": Seed(
        _DNS.format("acme.example. MX 10 mx.home.example.") + " && systemctl restart unbound",
        {"probes.reachable.mail_is_sent_to_the_host": "acme.example has the MX mx.home.example"},
        on=WORLD,
        restore="systemctl restart unbound",
    ),
    "a wrong name in the greeting": Seed(
        f"postconf -e myhostname=localhost.localdomain && {_POSTFIX}",
        {"probes.reachable.greets_by_its_name": "localhost.localdomain"},
    ),
}

MACHINE = {
    "the mail disk is full": Seed(
        "mount -t tmpfs -o size=256k,mode=700,uid=vmail,gid=vmail tmpfs /var/mail/provision"
        " && head -c 1M /dev/zero > /var/mail/provision/full || true",
        {"checks.host.disks_have_room": "/var/mail/provision has used 100%"},
        restore=f"systemctl stop dovecot; umount /var/mail/provision; {_NO_MAIL_WAITS}",
    ),
    "the webmail's database is closed": Seed(
        "chown root:root /var/lib/provision-webmail/roundcube.sqlite",
        {"probes.webmail.login_page_is_the_sites": "no login form"},
        restore="chown roundcube:roundcube /var/lib/provision-webmail/roundcube.sqlite",
    ),
    "an old package was held back": Seed(
        "sed -i '/^Package: postfix$/,/^$/s/^Version: .*/Version: 3.10.1-1/' /var/lib/dpkg/status",
        {"checks.packages.versions_have_no_known_holes": "postfix is 3.10.1-1"},
    ),
    "a package is half configured": Seed(
        "sed -i '/^Package: dovecot-sieve$/,/^$/s/^Status: .*/Status: install ok half-configured/'"
        " /var/lib/dpkg/status",
        {"checks.packages.packages_are_configured": "half configured"},
    ),
}

CERTIFICATES = {
    "an expired certificate": Seed(
        f"{_certificate('expired')} && {_POSTFIX} && {_DOVECOT}",
        {"probes.tls.host_certificate_served": "expired"},
    ),
    "a certificate that ends next week": Seed(
        f"{_certificate('ending')} && {_POSTFIX} && {_DOVECOT}",
        {"probes.tls.host_certificate_served": "ends in 4 days"},
    ),
    "the new certificate was never read": Seed(
        f"{_certificate('other')} && {_DOVECOT} && {_IS_SERVED} && {_PUT_BACK} etc/provision",
        {"probes.tls.host_certificate_served": "port 993 serves another certificate"},
    ),
}

SEEDS = {**DAEMONS, **ACCOUNTS, **DOORS, **WAYS, **MACHINE, **CERTIFICATES}
"""Every fault by its name."""
