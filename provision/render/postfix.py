"""What Postfix reads: main.cf, master.cf and one credentials file for each smarthost."""

from __future__ import annotations

from dataclasses import dataclass

from provision.model.bundle import (
    Activation,
    ManagedDirectory,
    ManagedFile,
    ManagedUnit,
    Part,
    PublicPort,
    Verb,
)
from provision.model.fleet import Smarthost, TlsPolicy
from provision.render import smarthost as names
from provision.render.dovecot import MAIL_USER
from provision.render.limits import MESSAGE_SIZE_LIMIT
from provision.render.marker import marker
from provision.render.templates import fill
from provision.render.view import HostView

UNIT = "postfix.service"

ROLES = ("abuse", "postmaster", "root")
"""Local parts that the host has at its own name."""
_RELOAD = (Activation(UNIT, Verb.RELOAD),)
_TLS_LEVEL = {TlsPolicy.VERIFY: "secure", TlsPolicy.ENCRYPT: "encrypt"}
_IMPLICIT_TLS_PORT = 465


@dataclass(frozen=True, slots=True)
class SubmissionService:
    """A service on which people log in to send (RFC 8314)."""

    name: str
    port: int
    wrapper: bool
    """TLS from the first byte."""


@dataclass(frozen=True, slots=True)
class SmarthostTransport:
    """One smarthost as master.cf names it."""

    transport: str
    credentials: str
    tls_level: str
    wrapper: bool


SUBMISSIONS = (
    SubmissionService("submissions", 465, wrapper=True),
    SubmissionService("submission", 587, wrapper=False),
)


def render_postfix(view: HostView) -> Part:
    """The part of Postfix; account data is looked up in maps and stands in none of these files."""
    files = _configuration(view)
    read = (*files, _master(view, "unmarked"))
    live = marker(view, (view.host_certificate.chain.encode(), *(file.content for file in read)))
    return Part(
        files=(*files, _master(view, live), _drop_in()),
        directories=(
            ManagedDirectory("/etc/postfix/accounts", 0o750, group="postfix"),
            ManagedDirectory(names.CREDENTIALS_FOLDER, 0o700, ours=True),
        ),
        packages=(
            "ca-certificates",
            "libsasl2-modules",  # the login mechanisms that smarthosts ask for
            "postfix",
            "postfix-cdb",
        ),
        units=(ManagedUnit(UNIT, live_socket=f"/var/spool/postfix/private/{live}"),),
        ports=tuple(PublicPort(port, "Postfix") for port in (25, *(s.port for s in SUBMISSIONS))),
    )


def _configuration(view: HostView) -> tuple[ManagedFile, ...]:
    main = fill(
        "postfix/main.cf.j2",
        fqdn=str(view.host.fqdn),
        mail_user=MAIL_USER,
        message_size_limit=MESSAGE_SIZE_LIMIT,
        queue_minfree=3 * MESSAGE_SIZE_LIMIT,
    )
    roles = fill("postfix/roles.j2", roles=ROLES, postmaster=str(view.fleet.postmaster or ""))
    credentials = (_credentials(smarthost) for smarthost in view.smarthosts)
    return (
        ManagedFile("/etc/postfix/main.cf", main, activations=_RELOAD),
        ManagedFile(
            "/etc/postfix/openssl.cnf", fill("postfix/openssl.cnf.j2"), activations=_RELOAD
        ),
        ManagedFile("/etc/postfix/roles", roles, activations=_RELOAD),
        *credentials,
    )


def _credentials(smarthost: Smarthost) -> ManagedFile:
    return ManagedFile(
        names.credentials_path(smarthost),
        names.credentials(smarthost),
        mode=0o600,
        secret=True,
        activations=_RELOAD,
    )


def _master(view: HostView, live: str) -> ManagedFile:
    content = fill(
        "postfix/master.cf.j2",
        submissions=SUBMISSIONS,
        smarthosts=tuple(_transport(smarthost) for smarthost in view.smarthosts),
        marker=live,
    )
    return ManagedFile("/etc/postfix/master.cf", content, activations=_RELOAD)


def _transport(smarthost: Smarthost) -> SmarthostTransport:
    return SmarthostTransport(
        transport=names.transport(smarthost),
        credentials=names.credentials_path(smarthost),
        tls_level=_TLS_LEVEL[smarthost.tls],
        wrapper=smarthost.port == _IMPLICIT_TLS_PORT,
    )


def _drop_in() -> ManagedFile:
    """Takes effect with `systemctl daemon-reload`; the running daemon is left alone."""
    return ManagedFile(
        f"/etc/systemd/system/{UNIT}.d/provision.conf",
        fill("systemd/restart.conf.j2"),
        activations=(Activation(UNIT, Verb.NONE),),
    )
