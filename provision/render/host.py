"""Render one host: every program's part, joined into a bundle."""

from __future__ import annotations

from provision.model.bundle import Bundle
from provision.model.certificate import Certificates
from provision.model.fleet import Fleet, Host
from provision.render.accounts import render_accounts
from provision.render.dovecot import render_dovecot
from provision.render.firewall import render_firewall
from provision.render.nginx import render_nginx
from provision.render.php import render_php
from provision.render.postfix import render_postfix
from provision.render.recovery import render_recovery
from provision.render.roundcube import render_roundcube
from provision.render.tls import render_tls
from provision.render.view import HostView

PROGRAMS = (
    render_tls,
    render_postfix,
    render_dovecot,
    render_nginx,
    render_php,
    render_roundcube,
    render_recovery,
)
"""Each takes a HostView and returns the Part of one program."""


def render_host(fleet: Fleet, host: Host, certificates: Certificates) -> Bundle:
    """The desired state of ``host``: pure, the same bytes for the same values."""
    view = HostView.of(fleet, host, certificates)
    parts = tuple(render(view) for render in PROGRAMS)
    firewall = render_firewall(view, (port for part in parts for port in part.ports))
    accounts = render_accounts(view)
    return Bundle.of(
        host, parts=(*parts, firewall), accounts=accounts, keep_removed=fleet.keep_removed
    )
