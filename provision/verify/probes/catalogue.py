"""Every probe, in the order and the threads in which they run."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from provision.model.fleet import Route
from provision.verify.probes import (
    cleartext,
    delivery,
    mailboxes,
    reachable,
    relay,
    submission,
    tls,
    webmail,
    wrong_password,
)
from provision.verify.probes.line import Line
from provision.verify.probes.place import HostPlace, SitePlace

HostProbe = Callable[[HostPlace], None]
SiteProbe = Callable[[Line], None]

HOST_LINES: tuple[tuple[HostProbe, ...], ...] = (
    (
        reachable.host_name_resolves,
        reachable.greets_by_its_name,
        tls.host_certificate_served,
        tls.modern_tls_accepted,
    ),
    (tls.old_tls_refused,),
    (
        relay.no_login_on_25,
        relay.no_open_relay,
        relay.own_sender_is_no_ticket,
        relay.submission_needs_login,
        cleartext.submission_needs_tls,
        cleartext.imap_needs_tls,
        cleartext.pop3_needs_tls,
        cleartext.sieve_needs_tls,
    ),
)
"""Each inner tuple is one thread."""

LAST_HOST_LINES: tuple[tuple[HostProbe, ...], ...] = (
    (wrong_password.submission_refuses,),
    (wrong_password.imap_refuses,),
    (wrong_password.pop3_refuses,),
)
"""Run when all else has ended: Dovecot then slows down logins from our address."""

_WEBMAIL: tuple[SiteProbe, ...] = (
    reachable.mail_is_sent_to_the_host,
    reachable.webmail_name_leads_to_host,
    tls.site_certificate_served,
    webmail.http_leads_to_https,
    webmail.login_page_is_the_sites,
    webmail.mailbox_logs_in,
    webmail.inner_folders_are_closed,
)
_OTHER_DOORS: tuple[SiteProbe, ...] = (
    submission.login_587,
    submission.neighbours_sender_refused,
    mailboxes.pop3_login,
)


def site_lines(place: SitePlace) -> tuple[tuple[SiteProbe, ...], ...]:
    """The probes that fit a site, a tuple for each thread."""
    closed = place.site.catch_all is None
    mail: list[SiteProbe] = [
        submission.login_465,
        submission.outside_refused
        if place.site.outgoing.route is Route.NONE
        else submission.outside_accepted,
        delivery.unknown_recipient_refused if closed else delivery.catch_all_accepts,
        delivery.too_large_for_the_mailbox_refused,
        mailboxes.imap_login,
        delivery.own_address_receives,
        delivery.plus_address_receives,
        delivery.world_reaches_site,
    ]
    if place.site.domain_aliases:
        mail.append(delivery.domain_aliases_receive)
    if place.neighbour is not None:
        mail.append(delivery.neighbour_receives)
    mail += [
        delivery.quota_is_visible,
        delivery.leaves_nothing_behind,
        submission.foreign_sender_refused,
    ]
    return (tuple(mail), _OTHER_DOORS, _WEBMAIL)


ALL: tuple[Callable[..., None], ...] = (
    *(probe for line in (*HOST_LINES, *LAST_HOST_LINES) for probe in line),
    submission.login_465,
    *_OTHER_DOORS,
    submission.foreign_sender_refused,
    submission.outside_refused,
    submission.outside_accepted,
    delivery.unknown_recipient_refused,
    delivery.catch_all_accepts,
    delivery.too_large_for_the_mailbox_refused,
    mailboxes.imap_login,
    delivery.own_address_receives,
    delivery.plus_address_receives,
    delivery.world_reaches_site,
    delivery.domain_aliases_receive,
    delivery.neighbour_receives,
    delivery.quota_is_visible,
    delivery.leaves_nothing_behind,
    *_WEBMAIL,
)
"""Every probe there is, for `provision verify --list`."""


def probe_name(probe: Callable[..., None]) -> str:
    """Stable identifier: ``probes.submission.login_465``."""
    return f"probes.{probe.__module__.rsplit('.', 1)[-1]}.{probe.__name__}"


def probe_promise(probe: Callable[..., None]) -> str:
    """The sentence of a probe: the first line of its docstring."""
    return (inspect.getdoc(probe) or probe.__name__).splitlines()[0].rstrip(".")
