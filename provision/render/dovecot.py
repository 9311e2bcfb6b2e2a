"""What Dovecot reads: one complete dovecot.conf for its release."""

from __future__ import annotations

from provision.model.bundle import (
    Activation,
    ManagedDirectory,
    ManagedFile,
    ManagedUnit,
    Part,
    PublicPort,
    SystemUser,
    Verb,
)
from provision.model.fleet import Release
from provision.render.limits import MESSAGE_SIZE_LIMIT
from provision.render.marker import marker
from provision.render.templates import fill
from provision.render.view import HostView

UNIT = "dovecot.service"
MAIL_USER = "vmail"
"""Owns all mail; no login."""
MAIL_FOLDER = "/var/mail/provision"
FOLDERS = ("Drafts", "Sent", "Junk", "Trash", "Archive")
"""Folders that every mailbox has, named as their special use (RFC 6154)."""
_PORTS = {"imaps": 993, "pop3s": 995, "sieve": 4190}
_TREE = {Release.DEBIAN13: "dovecot/2.4"}


def render_dovecot(view: HostView) -> Part:
    """The part of Dovecot; account data stands in files of its own and in none of these."""
    chain = view.host_certificate.chain.encode()
    live = marker(view, (chain, _configuration(view, "unmarked")))
    content = _configuration(view, live)
    return Part(
        files=(
            ManagedFile(
                "/etc/dovecot/dovecot.conf",
                content,
                activations=(Activation(UNIT, Verb.RELOAD),),
            ),
            _drop_in(),
        ),
        directories=(
            ManagedDirectory("/etc/dovecot/accounts", 0o751, group="dovecot"),
            ManagedDirectory("/etc/dovecot/accounts/forwards", 0o750, group=MAIL_USER),
            ManagedDirectory(MAIL_FOLDER, 0o700, owner=MAIL_USER, group=MAIL_USER),
        ),
        packages=(
            "dovecot-core",
            "dovecot-imapd",
            "dovecot-lmtpd",
            "dovecot-managesieved",
            "dovecot-pop3d",
            "dovecot-sieve",
        ),
        units=(ManagedUnit(UNIT, live_socket=f"/run/dovecot/{live}"),),
        users=(SystemUser(MAIL_USER, MAIL_FOLDER),),
        ports=tuple(PublicPort(number, "Dovecot") for number in _PORTS.values()),
    )


def _configuration(view: HostView, live: str) -> bytes:
    return fill(
        f"{_TREE[view.host.release]}/dovecot.conf.j2",
        fqdn=str(view.host.fqdn),
        mail_user=MAIL_USER,
        mail_folder=MAIL_FOLDER,
        folders=FOLDERS,
        ports=_PORTS,
        message_size_limit=MESSAGE_SIZE_LIMIT,
        marker=live,
    )


def _drop_in() -> ManagedFile:
    """Takes effect with `systemctl daemon-reload`; the running daemon is left alone."""
    return ManagedFile(
        f"/etc/systemd/system/{UNIT}.d/provision.conf",
        fill("systemd/restart.conf.j2"),
        activations=(Activation(UNIT, Verb.NONE),),
    )
