"""What makes a managed file: its templates, and the keys of the spec that reach it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Governed:
    """Where a change of a file belongs instead."""

    templates: str
    """Folder of the program that lays the file out; empty where none does."""
    keys: str
    """Keys of the spec, for people."""


_BY_PREFIX = (
    ("/etc/postfix/", Governed("templates/postfix", "smarthosts, outgoing, hosts.*.fqdn")),
    ("/etc/dovecot/", Governed("templates/dovecot", "hosts.*.fqdn, defaults.mailbox")),
    ("/etc/nginx/", Governed("templates/nginx", "hosts.*.fqdn, site, webmail")),
    ("/etc/php/", Governed("templates/php", "")),
    ("/etc/provision/tls/", Governed("", "certificate of the host or the site")),
    ("/etc/provision/firewall", Governed("templates/nftables", "hosts.*.firewall")),
    ("/etc/provision/webmail/", Governed("templates/roundcube", "webmail of the site")),
    ("/etc/provision/roundcube/", Governed("templates/roundcube", "webmail of the site")),
    ("/etc/provision/", Governed("templates/systemd", "")),
    ("/etc/systemd/", Governed("templates", "")),
)


def governed(path: str) -> Governed:
    """What makes the file at ``path``."""
    return next((found for start, found in _BY_PREFIX if path.startswith(start)), _UNKNOWN)


_UNKNOWN = Governed("templates", "")
