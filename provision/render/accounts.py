"""Account documents: a site's mailboxes, aliases and route as data for its host."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from functools import cache

from provision.model.accounts import (
    GENERATED,
    AliasAccount,
    KnownAccounts,
    MailboxAccount,
    Move,
    SiteAccounts,
)
from provision.model.address import Address
from provision.model.fleet import (
    Fleet,
    GivenHash,
    GivenPassword,
    Mailbox,
    Password,
    Route,
    Site,
)
from provision.model.later import Later
from provision.model.probe import probe_mailbox
from provision.model.secret import Secret
from provision.render.smarthost import nexthop
from provision.render.view import HostView


def render_accounts(view: HostView) -> tuple[SiteAccounts, ...]:
    """One document for each site of the host, in the order of the sites."""
    return tuple(_remembered(view.fleet, site) or _site(view.fleet, site) for site in view.sites)


def known_accounts(fleet: Fleet, site: Site) -> KnownAccounts:
    """What to remember of a site's document; ``fleet`` needs its smarthosts and its key only."""
    return _site(fleet, site).known()


def _remembered(fleet: Fleet, site: Site) -> SiteAccounts | None:
    """The document by what is remembered of it; its mailboxes are read when somebody looks."""
    known = site.accounts
    if known is None:
        return None

    @cache
    def whole() -> SiteAccounts:
        made = _site(fleet, site)
        if made.digest() != known.digest:
            raise RuntimeError(f"what is remembered of {site.domain} is not what its file says")
        return made

    return SiteAccounts(
        site=str(site.domain),
        domain_aliases=_domain_aliases(site),
        route=_route(site),
        nexthop=_nexthop(fleet, site),
        mailboxes=Later(known.mailboxes, lambda: tuple(whole().mailboxes)),
        aliases=Later(known.aliases, lambda: tuple(whole().aliases)),
        catch_all=str(site.catch_all) if site.catch_all else None,
        protect=site.protect,
        moves=known.moves,
        known_digest=known.digest,
    )


def site_passwords(fleet: Fleet, site: Site) -> Mapping[str, Password]:
    """Every login of a site, the probe included, with what the spec says about its password."""
    return {str(site.address_of(mailbox)): mailbox.password for mailbox in _mailboxes(fleet, site)}


def fingerprint(address: str, password: Password, *, key: Secret) -> str:
    """By what host and controller know that a password is unchanged, without knowing it.

    A keyed digest, so that a stolen document allows no guessing (HMAC, RFC 2104); it covers the
    address, so that equal passwords of two people do not show.
    """
    match password:
        case GivenPassword(secret):
            message = f"{address}\0{secret.reveal()}".encode()
            return "hmac:" + hmac.new(key.reveal().encode(), message, hashlib.sha256).hexdigest()
        case GivenHash(secret):
            return "hash:" + hashlib.sha256(secret.reveal().encode()).hexdigest()
        case _:
            return GENERATED


def _mailboxes(fleet: Fleet, site: Site) -> list[Mailbox]:
    probe = probe_mailbox(fleet, site.domain)
    return sorted((*site.mailboxes, probe), key=lambda mailbox: mailbox.local)


def _site(fleet: Fleet, site: Site) -> SiteAccounts:
    return SiteAccounts(
        site=str(site.domain),
        domain_aliases=_domain_aliases(site),
        route=_route(site),
        nexthop=_nexthop(fleet, site),
        mailboxes=tuple(_mailbox(fleet, site, mailbox) for mailbox in _mailboxes(fleet, site)),
        aliases=tuple(
            AliasAccount(
                str(Address.of(alias.local, site.domain)),
                tuple(str(target) for target in sorted(alias.targets)),
            )
            for alias in sorted(site.aliases, key=lambda alias: alias.local)
        ),
        catch_all=str(site.catch_all) if site.catch_all else None,
        protect=site.protect,
        moves=tuple(_moves(fleet, site)),
    )


def _moves(fleet: Fleet, site: Site) -> Iterator[Move]:
    for mailbox in _mailboxes(fleet, site):
        if mailbox.moved_from is not None:
            origin = str(Address.of(mailbox.moved_from, site.domain))
            mark = fingerprint(origin, mailbox.password, key=fleet.fingerprint_key)
            yield Move(str(site.address_of(mailbox)), origin, mark)


def _mailbox(fleet: Fleet, site: Site, mailbox: Mailbox) -> MailboxAccount:
    address = str(site.address_of(mailbox))
    forward = mailbox.forward
    return MailboxAccount(
        address=address,
        name=mailbox.name,
        fingerprint=fingerprint(address, mailbox.password, key=fleet.fingerprint_key),
        quota=mailbox.quota.bytes if mailbox.quota else 0,
        imap=mailbox.imap,
        pop3=mailbox.pop3,
        aliases=tuple(str(Address.of(local, site.domain)) for local in sorted(mailbox.aliases)),
        forward_to=tuple(str(target) for target in sorted(forward.to)) if forward else (),
        forward_keep=forward.keep_copy if forward else True,
        protect=mailbox.protect,
    )


def _domain_aliases(site: Site) -> tuple[str, ...]:
    return tuple(sorted(str(domain) for domain in site.domain_aliases))


def _route(site: Site) -> str:
    outgoing = site.outgoing
    if outgoing.route is Route.SMARTHOST:
        return f"smarthost:{outgoing.smarthost}"
    return outgoing.route.value


def _nexthop(fleet: Fleet, site: Site) -> str:
    name = site.outgoing.smarthost
    return nexthop(fleet.smarthost(name)) if name is not None else ""
