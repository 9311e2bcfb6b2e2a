"""Settings of the world's mail servers: the ISP's smarthost and the outside domains' exchanger.

Two instances of Debian's Postfix (postmulti(1)): ``/etc/postfix`` is the outside, and
``/etc/postfix-isp`` the smarthost, whose logins Dovecot knows. Both give what they take to
``keep-message``.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from pathlib import Path

from provision.lab.estate import Estate, Login
from provision.lab.network import CLIENT, OUTSIDE, SECOND_CLIENT, SMARTHOST
from provision.lab.world import keep_message
from provision.lab.world.dns import Files
from provision.lab.world.zones import ISP_NAME, OUTSIDE_DOMAINS, OUTSIDE_NAME

KEPT = "/var/lib/lab"
"""Where messages are kept on the world: smarthost/ and outside/."""

_KEEP = "/usr/local/lib/lab/keep-message"

_SERVICES = """\
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
pickup unix n - n 60 1 pickup
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# The two instances differ in who may send; the rest is the same (postconf(5)).
_COMMON = """\
compatibility_level = 3.9
inet_protocols = ipv4
mydestination =
local_transport = error:5.1.1 no such mailbox
local_recipient_maps =
alias_maps =
alias_database =
biff = no
smtp_tls_security_level = may
smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt
smtpd_tls_received_header = yes
smtpd_client_connection_rate_limit = 0
minimal_backoff_time = 5s
maximal_backoff_time = 30s
queue_run_delay = 5s
keep_destination_recipient_limit = 1
"""

_OUTSIDE_MAIN = f"""\
{_COMMON}\
multi_instance_directories = /etc/postfix-isp
myhostname = {OUTSIDE_NAME}
inet_interfaces = {OUTSIDE}
smtp_bind_address = {OUTSIDE}
mynetworks = {CLIENT}/32 {SECOND_CLIENT}/32
virtual_mailbox_domains = {" ".join(OUTSIDE_DOMAINS)}
virtual_mailbox_maps = regexp:/etc/postfix/mailboxes.regexp
virtual_transport = keep
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/outside.pem
"""

_ISP_MAIN = f"""\
{_COMMON}\
multi_instance_name = postfix-isp
multi_instance_enable = yes
queue_directory = /var/spool/postfix-isp
data_directory = /var/lib/postfix-isp
myhostname = {ISP_NAME}
inet_interfaces = {SMARTHOST}
smtp_bind_address = {SMARTHOST}
mynetworks =
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = /etc/postfix-isp/smarthost.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:12345
smtpd_sasl_authenticated_header = yes
smtpd_sender_login_maps = texthash:/etc/postfix-isp/senders
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access regexp:/etc/postfix-isp/recipients.regexp
smtp_header_checks = regexp:/etc/postfix-isp/recipients-hidden.regexp
always_bcc = archive@kept.lab.example
transport_maps = inline:{{ kept.lab.example=keep: }}
"""

_DOVECOT = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols =
ssl = no
auth_mechanisms = plain login
passdb passwd-file {
  passwd_file_path = /etc/dovecot/logins
}
service auth {
  inet_listener postfix {
    listen = 127.0.0.1
    port = 12345
  }
}
"""


def mail_files(estate: Estate, *, smarthost_pem: str, outside_pem: str) -> Files:
    """Everything that both Postfix instances and Dovecot read.

    A PEM is a key followed by its certificate, for the names that ``smarthost_names`` lists.
    """
    return {
        _KEEP: ("#!/usr/bin/python3 -I\n" + Path(keep_message.__file__).read_text(), 0o755),
        "/etc/postfix/main.cf": (_OUTSIDE_MAIN, 0o644),
        "/etc/postfix/master.cf": (_outside_master(), 0o644),
        "/etc/postfix/mailboxes.regexp": ("!/^nobody@/ kept\n", 0o644),
        "/etc/postfix/outside.pem": (outside_pem, 0o600),
        "/etc/postfix-isp/main.cf": (_ISP_MAIN, 0o644),
        "/etc/postfix-isp/master.cf": (_isp_master(estate), 0o644),
        "/etc/postfix-isp/senders": (_senders(estate), 0o644),
        "/etc/postfix-isp/recipients.regexp": ("/^(.+)$/ PREPEND X-Lab-Recipient: $1\n", 0o644),
        "/etc/postfix-isp/recipients-hidden.regexp": ("/^X-Lab-Recipient:/ IGNORE\n", 0o644),
        "/etc/postfix-isp/smarthost.pem": (smarthost_pem, 0o600),
        "/etc/dovecot/dovecot.conf": (_DOVECOT, 0o644),
        "/etc/dovecot/logins": ("".join(_login_line(login) for login in estate.logins), 0o644),
    }


def smarthost_names(estate: Estate) -> list[str]:
    """Names that the smarthost's certificate is for, sorted after the ISP's own."""
    return [ISP_NAME, *sorted({login.host for login in estate.logins} - {ISP_NAME})]


def _keep(folder: str, fields: str) -> str:
    # An empty null_sender, as pipe(8) would call the sender of a bounce MAILER-DAEMON.
    attributes = f"flags= user=labmail null_sender= argv={_KEEP}"
    return f"keep unix - n n - - pipe\n  {attributes} {KEPT}/{folder} {fields}\n"


def _outside_master() -> str:
    fields = (
        "sender=${sender} recipient=${original_recipient} client_address=${client_address}"
        " client_name=${client_hostname} helo=${client_helo} queue_id=${queue_id}"
    )
    return f"{OUTSIDE}:25 inet n - n - - smtpd\n{_SERVICES}{_keep('outside', fields)}"


def _isp_master(estate: Estate) -> str:
    fields = (
        "login=${sasl_username} sender=${sender} client_address=${client_address}"
        " client_name=${client_hostname} helo=${client_helo} queue_id=${queue_id}"
    )
    ports = sorted({587, *(login.port for login in estate.logins)} - {465})
    services = "".join(f"{SMARTHOST}:{port} inet n - n - - smtpd\n" for port in ports)
    wrapped = f"{SMARTHOST}:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n"
    return f"{services}{wrapped}{_SERVICES}{_keep('smarthost', fields)}"


def _senders(estate: Estate) -> str:
    allowed: dict[str, list[str]] = defaultdict(list)
    for login in estate.logins:
        for domain in login.senders:
            allowed[domain].append(login.username)
    return "".join(
        f"@{domain} {','.join(sorted(who))}\n" for domain, who in sorted(allowed.items())
    )


def _login_line(login: Login) -> str:
    # The salt follows from the name, so that the same logins are the same file.
    salt = hashlib.sha256(login.username.encode()).digest()[:8]
    digest = hashlib.sha512(login.password.encode() + salt).digest() + salt
    return f"{login.username}:{{SSHA512}}{base64.b64encode(digest).decode()}::::::\n"
