"""The faults that verify is scored on: how each comes about, and what verify must say of it.

Each is seeded as it happens in practice: a daemon dies, a map is left out, a file is restored with
the wrong owner, somebody opens a port "for a moment".
"""

from __future__ import annotations

import shlex

from tests.lab.service_faults import (
    ACCOUNTS,
    DAEMONS,
    DOVECOT,
    NGINX,
    NO_MAIL_WAITS,
    POSTFIX,
    WORLD,
    Seed,
    edited_dovecot,
)

_DNS = "sed -i '/^remote-control:/i\\    local-data: \"{}\"' /etc/unbound/unbound.conf"
_IS_SERVED = (
    "while [ $(openssl s_client -connect 127.0.0.1:993 </dev/null 2>/dev/null | openssl x509 |"
    " sha256sum | cut -c-64) != $(openssl x509 -in /root/other.crt | sha256sum | cut -c-64) ];"
    " do sleep 0.1; done"
)
_AHEAD = shlex.quote(
    "#!/bin/sh\nshift 3\nexec /usr/bin/python3 -I -S -c 'import time; now = time.time\n"
    'time.time = lambda: now() + 90\n\'"$1"'
)
"""A Python whose clock is off: a machine of the lab has the clock of the one that it runs on."""
_PUT_BACK = "tar -C / -xpf /root/before.tar"


def _certificate(name: str) -> str:
    """Put one of the certificates that the test has issued in the host's place."""
    files = " ".join(f"cat /root/{name}.{end} > host.{end};" for end in ("crt", "key", "pem"))
    return f"{{ cd /etc/provision/tls; {files} }}"


DOORS = {
    "an open relay": Seed(
        "postconf -e smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination"
        f" mynetworks=0.0.0.0/0 && {POSTFIX}",
        {
            "probes.relay.no_open_relay": "nobody@example.net from <> is accepted",
            "probes.relay.own_sender_is_no_ticket": "relays without a login",
            "checks.postfix.only_the_host_itself_is_trusted": "0.0.0.0/0",
        },
    ),
    "logins on port 25": Seed(
        f"postconf -e smtpd_sasl_auth_enable=yes && {POSTFIX}",
        {"probes.relay.no_login_on_25": "AUTH is offered on port 25"},
    ),
    "submission without a login": Seed(
        "postconf -P submission/inet/mynetworks=198.18.0.0/24"
        " submission/inet/smtpd_relay_restrictions=permit_mynetworks,reject"
        " submission/inet/smtpd_recipient_restrictions=permit_mynetworks,reject"
        f" submission/inet/smtpd_sender_restrictions=permit_mynetworks,reject && {POSTFIX}",
        {"probes.relay.submission_needs_login": "587 takes mail to nobody@example.net"},
    ),
    "anybody's address as sender": Seed(
        "postconf -P submissions/inet/smtpd_sender_restrictions=permit_sasl_authenticated,reject"
        f" && {POSTFIX}",
        {"probes.submission.foreign_sender_refused": "may send as somebody@example.net"},
    ),
    "passwords without TLS on 587": Seed(
        "postconf -P submission/inet/smtpd_tls_security_level=may"
        f" submission/inet/smtpd_tls_auth_only=no && {POSTFIX}",
        {"probes.cleartext.submission_needs_tls": "587 offers AUTH without TLS"},
    ),
    "IMAP and POP3 without TLS": Seed(
        "sed -i 's/^    port = 0/    port = 143/; /inet_listener pop3 {/,/}/s/143/110/;"
        " s/^auth_allow_cleartext = no/auth_allow_cleartext = yes/; s/^ssl = required/ssl = yes/'"
        f" /etc/dovecot/dovecot.conf && {DOVECOT}"
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
        edited_dovecot(
            "s/^ssl_min_protocol.*/ssl_min_protocol = TLSv1/; s/^ssl_cipher.*/"
            "ssl_cipher_list = ALL:@SECLEVEL=0/"
        ),
        {"probes.tls.old_tls_refused": "port 993 accepts TLSv1"},
    ),
    "webmail without TLS": Seed(
        "sed -i 's,^        return 301 .*,        root /var/lib/roundcube/public_html;,'"
        f" /etc/nginx/provision/webmail-acme.example.conf && {NGINX}",
        {"probes.webmail.http_leads_to_https": "http://webmail.acme.example/ answers"},
    ),
    "the network swallows IMAP": Seed(
        "ip rule add ipproto tcp sport 993 blackhole",
        {"probes.mailboxes.imap_login": "993: no answer in time"},
        restore="ip rule del ipproto tcp sport 993 blackhole",
    ),
    "a misspelt setting": Seed(
        f"echo 'smtpd_relay_restriction = reject' >> /etc/postfix/main.cf && {POSTFIX}",
        {"checks.postfix.postfix_understands_all_settings": "smtpd_relay_restriction"},
    ),
    "a key that all can read": Seed(
        "chmod 644 /etc/provision/tls/host.key",
        {"checks.files.secrets_are_closed_to_others": "/etc/provision/tls/host.key can be read"},
    ),
    "a foreign file in a folder of ours": Seed(
        f"echo 'server {{ listen 8081; }}' > /etc/nginx/provision/old.conf && {NGINX}",
        {
            "checks.files.folders_hold_nothing_foreign": "/etc/nginx/provision/old.conf",
            "checks.ports.nothing_else_listens_to_the_world": ":8081",
        },
        restore="rm /etc/nginx/provision/old.conf",
    ),
    "another site's certificate": Seed(
        "cd /etc/provision/tls/sites && cp blue.example.crt acme.example.crt"
        f" && cp blue.example.key acme.example.key && {NGINX}",
        {"probes.tls.site_certificate_served": "Hostname mismatch"},
    ),
}

WAYS = {
    "mail leaves by a wrong way": Seed(
        f"postconf -e sender_dependent_default_transport_maps= && {POSTFIX}",
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
        f"postconf -e myhostname=localhost.localdomain && {POSTFIX}",
        {"probes.reachable.greets_by_its_name": "localhost.localdomain"},
    ),
}

MACHINE = {
    "the mail disk is full": Seed(
        "mount -t tmpfs -o size=256k,mode=700,uid=vmail,gid=vmail tmpfs /var/mail/provision"
        " && head -c 1M /dev/zero > /var/mail/provision/full || true",
        {"checks.host.disks_have_room": "/var/mail/provision has used 100%"},
        restore=f"systemctl stop dovecot; umount /var/mail/provision; {NO_MAIL_WAITS}",
    ),
    "the clock is off": Seed(
        f"printf '%s\n' {_AHEAD} > /usr/local/bin/python3 && chmod 755 /usr/local/bin/python3",
        {"checks.host.clock_is_right": "s ahead"},
        restore="rm /usr/local/bin/python3",
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
        f"{_certificate('expired')} && {POSTFIX} && {DOVECOT}",
        {"probes.tls.host_certificate_served": "expired"},
    ),
    "a certificate that ends next week": Seed(
        f"{_certificate('ending')} && {POSTFIX} && {DOVECOT}",
        {"probes.tls.host_certificate_served": "ends in 4 days"},
    ),
    "the new certificate was never read": Seed(
        f"{_certificate('other')} && {DOVECOT} && {_IS_SERVED} && {_PUT_BACK} etc/provision",
        {"probes.tls.host_certificate_served": "port 993 serves another certificate"},
    ),
}

SEEDS = {**DAEMONS, **ACCOUNTS, **DOORS, **WAYS, **MACHINE, **CERTIFICATES}
"""Every fault by its name."""
