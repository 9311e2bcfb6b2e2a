"""Ways to break a configuration, each in one place of our templates, and what then must be said.

Most are passed by the programs' own checkers (``postfix check``, ``doveconf``, ``nginx -t``).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tests.lab.engine_fleet import ROOT
from tests.lab.postfix_breakages import LINT, POSTFIX, REFUSED, ROLLED_BACK, Breakage, closed

DOVECOT, LOGINS = "dovecot/2.4/dovecot.conf.j2", "dovecot/2.4/logins.j2"
MAIL, SERVICES = "dovecot/2.4/mail.j2", "dovecot/2.4/services.j2"
NGINX, SITE, UNKNOWN = "nginx/nginx.conf.j2", "nginx/webmail.conf.j2", "nginx/unknown.conf.j2"
NGINX_UNIT, FPM_UNIT = "nginx/service.conf.j2", "php/service.conf.j2"
RESTART = "systemd/restart.conf.j2"


DOVECOTS = {
    "empty dovecot.conf": Breakage(
        DOVECOT, "", "# {{ marker }}\n", "dovecot_storage_version setting must be"
    ),
    "missing users file": Breakage(
        LOGINS,
        "passwd_file_path = /etc/dovecot/accounts/%{user | domain}.passwd",
        "passwd_file_path = /etc/dovecot/nowhere.passwd",
        "there is no file /etc/dovecot/nowhere.passwd",
        layer=LINT,
    ),
    "missing Sieve script": Breakage(
        MAIL,
        "  path = /etc/dovecot/accounts/forwards/%{user}.sieve",
        "  path = /etc/dovecot/nowhere.sieve",
        "/etc/dovecot/nowhere.sieve",
        layer=LINT,
    ),
    "unknown setting": Breakage(
        DOVECOT, "protocols {", "protocolls_of_old = yes\nprotocols {", "protocolls_of_old"
    ),
    "bad value": Breakage(
        LOGINS, "auth_failure_delay = 2 secs", "auth_failure_delay = soon", "auth_failure_delay"
    ),
    "missing brace": Breakage(DOVECOT, "  sieve = yes\n}", "  sieve = yes\n", "doveconf: "),
    "include of nothing": Breakage(
        DOVECOT,
        "log_path = syslog",
        "!include /etc/dovecot/nowhere.conf\nlog_path = syslog",
        "/etc/dovecot/dovecot.conf line 16: No matches",
    ),
    "missing certificate": Breakage(
        LOGINS, "tls/host.crt", "tls/nowhere.crt", "there is no file /etc/provision/tls/nowhere.crt"
    ),
    "key of another certificate": Breakage(
        LOGINS,
        "tls/host.key",
        "tls/sites/acme.example.key",
        "/etc/provision/tls/sites/acme.example.key does not fit /etc/provision/tls/host.crt",
    ),
    "users files of another name": Breakage(
        LOGINS,
        "%{user | domain}.passwd",
        "%{user | domain}.password",
        "User doesn't exist: provision-probe@",
        ROLLED_BACK,
    ),
    "port of Postfix": Breakage(
        SERVICES,
        "service dict {",
        "service imap-login {\n  inet_listener taken {\n    port = 25\n  }\n}\nservice dict {",
        "listen(*, 25) failed: Address already in use",
        ROLLED_BACK,
    ),
    "setting of Dovecot 2.3": Breakage(
        LOGINS,
        "auth_allow_cleartext = no",
        "disable_plaintext_auth = yes",
        "disable_plaintext_auth",
    ),
    "variable of Dovecot 2.3": Breakage(
        LOGINS, "%{user | domain}.passwd", "%d.passwd", "postfix-lmtp answers", ROLLED_BACK
    ),
    "expired certificate": Breakage(
        LOGINS,
        "/etc/provision/tls/host.crt\nssl_server_key_file = /etc/provision/tls/host.key",
        "/root/expired.crt\nssl_server_key_file = /root/expired.key",
        "the certificate in /root/expired.crt has expired",
    ),
    "accounts closed to the login service": closed(
        "/etc/dovecot/accounts", "dovecot: dovecot cannot read", mode=0o700
    ),
    "forwards of another group": closed(
        "/etc/dovecot/accounts/forwards", "dovecot: vmail cannot read", group="root"
    ),
    "login service that may not read the users files": Breakage(
        SERVICES,
        "service auth {",
        "service auth {\n  user = nobody",
        "/run/dovecot/postfix-lmtp answers 451",
        ROLLED_BACK,
    ),
}

WEB = {
    "broken virtual host": Breakage(SITE, "    http2 on;", "    http2 on", "nginx: "),
    "failing include": Breakage(
        NGINX, "http {", "http {\n    include /etc/nginx/nowhere.conf;", "/etc/nginx/nowhere.conf"
    ),
    "missing certificate of a site": Breakage(
        SITE, "ssl_certificate {{ certificate }}", "ssl_certificate /nowhere.crt", "/nowhere.crt"
    ),
    "key of another site": Breakage(
        SITE,
        "ssl_certificate_key {{ key }}",
        "ssl_certificate_key /etc/provision/tls/host.key",
        "key values mismatch",
    ),
    "two default servers": Breakage(
        SITE,
        "ports.https }} ssl;",
        "ports.https }} ssl default_server;",
        "duplicate default server",
    ),
    "port of Dovecot": Breakage(
        UNKNOWN,
        "    server_name _;\n    include",
        "    server_name _;\n    listen 993;\n    include",
        "bind() to 0.0.0.0:993 failed",
        ROLLED_BACK,
    ),
    "PHP that cannot be parsed": Breakage(
        "roundcube/config.inc.php.j2", "<?php", "<?php if (", "php: "
    ),
    "PHP that fails": Breakage(
        "roundcube/config.inc.php.j2",
        "<?php",
        "<?php nowhere();",
        "answers 'HTTP/1.1 500",
        ROLLED_BACK,
    ),
    "unknown setting of PHP-FPM": Breakage(
        "php/php-fpm.conf.j2", "pm = ondemand", "pm = ondemand\nnowhere = 1", "php-fpm"
    ),
    "webmail that asks another socket": Breakage(
        "nginx/php.inc.j2",
        "unix:{{ socket }}",
        "unix:/run/php/nowhere.sock",
        "502 Bad Gateway",
        ROLLED_BACK,
    ),
    "PHP-FPM that may not read the webmail's key": Breakage(
        "php/php-fpm.conf.j2",
        "user = {{ user }}\ngroup = {{ user }}",
        "user = nobody\ngroup = nogroup",
        "answers",
        ROLLED_BACK,
    ),
    "key that the webmail may not read": closed(
        "/etc/provision/roundcube/key.inc.php", "answers", ROLLED_BACK, group="root"
    ),
    "socket of PHP-FPM that nginx may not use": Breakage(
        "php/php-fpm.conf.j2",
        "listen.group = www-data",
        "listen.group = root",
        "nginx (www-data) may not use the socket",
    ),
}

UNITS = {
    "misspelt setting of a unit": Breakage(
        RESTART,
        "RestartSec=1s",
        "RestartSecs=1s",
        "Unknown key 'RestartSecs'",
        layer=LINT,
    ),
    "sandbox that nothing proves": Breakage(
        RESTART,
        "Restart=on-failure",
        "Restart=on-failure\nSystemCallFilter=~@network-io",
        "SystemCallFilter counts from the next start",
        layer=LINT,
    ),
    "sandbox that kills nginx": Breakage(
        NGINX_UNIT,
        "SystemCallFilter=@system-service",
        "SystemCallFilter=@system-service\nSystemCallFilter=~@network-io",
        "nginx.service",
        ROLLED_BACK,
    ),
    "sandbox that kills PHP-FPM": Breakage(
        FPM_UNIT,
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
        "RestrictAddressFamilies=AF_INET",
        "php8.4-fpm.service",
        ROLLED_BACK,
    ),
}

PROGRAMS = {"Postfix": POSTFIX, "Dovecot": DOVECOTS, "web": WEB, "systemd": UNITS}

BREAKAGES = {
    f"{program}: {name}": breakage
    for program, table in PROGRAMS.items()
    for name, breakage in table.items()
}


def rounds() -> list[list[str]]:
    """All breakages that are refused, so that none hides another one's finding.

    Programs are checked apart from each other; of one program, those of a layer are found together.
    """
    lanes = []
    for program, table in PROGRAMS.items():
        groups: dict[str, list[str]] = {}
        for name, breakage in table.items():
            if breakage.code == REFUSED:
                groups.setdefault(breakage.layer or name, []).append(f"{program}: {name}")
        lanes.append(groups.values())
    return [
        [name for group in turn for name in group] for turn in zip_longest(*lanes, fillvalue=())
    ]


def broken(names: Sequence[str], folder: Path) -> str:
    """Python that makes the program ask for what is broken so; ``folder`` is for its templates."""
    templates = folder / "templates"
    shutil.rmtree(templates, ignore_errors=True)
    shutil.copytree(ROOT / "templates", templates)
    attributes: dict[str, Any] = {}
    for breakage in map(BREAKAGES.__getitem__, names):
        attributes.update(breakage.attributes)
        if breakage.template:
            path = templates / breakage.template
            text = path.read_text()
            assert breakage.old in text
            path.write_text(
                text.replace(breakage.old, breakage.new) if breakage.old else breakage.new
            )
    return _PYTHON.format(templates=str(templates), attributes=attributes)


_PYTHON = """
import provision.assets, provision.model.bundle
from pathlib import Path
provision.assets.templates_dir = lambda: Path({templates!r})
wrong = {attributes!r}
def closing(init):
    def closed(self, path, *values, **named):
        init(self, path, *values, **named)
        for name, value in wrong.get(path, {{}}).items():
            object.__setattr__(self, name, value)
    return closed
for kind in (provision.model.bundle.ManagedFile, provision.model.bundle.ManagedDirectory):
    kind.__init__ = closing(kind.__init__)
"""
