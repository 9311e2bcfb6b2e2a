"""Which Debian packages the lab has: in its images, and ready to install in its repository."""

from __future__ import annotations

BASE = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "python3",
    "python3-apt",
    "iproute2",
    "ifupdown",
    "ca-certificates",
)
"""What a bare host has: about what a provider's smallest Debian image has."""

WORLD = (
    "knot",
    "unbound",
    "postfix",
    "dovecot-core",
    "nginx-light",
)
"""What the host ``world`` has besides: DNS, the ISP's smarthost, outside mail, a reverse proxy."""

MAIL = (
    "ca-certificates",
    "libsasl2-modules",
    "postfix",
    "postfix-cdb",
    "dovecot-core",
    "dovecot-imapd",
    "dovecot-pop3d",
    "dovecot-lmtpd",
    "dovecot-sieve",
    "dovecot-managesieved",
    "nginx",
    "nftables",
    "php-fpm",
    "php-intl",
    "php-mbstring",
    "php-sqlite3",
    "php-xml",
    "php-zip",
    "roundcube-core",
    "roundcube-plugins",
    "roundcube-sqlite3",
    "ssl-cert",
    "strace",
    "procps",
)
"""What a mail host may install; extended here, the repository follows with all they need."""

_OF_RELEASE = {"debian12": ("php8.2-fpm",), "debian13": ("php8.4-fpm",)}


def packages_for(release: str) -> tuple[str, ...]:
    """What a mail host of a release may install: MAIL, and what only that release calls so."""
    return (*MAIL, *_OF_RELEASE[release])
