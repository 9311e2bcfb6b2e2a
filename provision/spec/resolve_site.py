"""A site file to a site of the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from provision.model.address import Address, Domain, LocalPart
from provision.model.fleet import (
    Alias,
    Forward,
    GeneratedPassword,
    GivenHash,
    GivenPassword,
    Mailbox,
    Outgoing,
    Password,
    Route,
    Site,
    Webmail,
)
from provision.spec.context import Context
from provision.spec.door import Defaults, FleetFile, MailboxSpec, SiteFile
from provision.spec.node import Document
from provision.spec.resolve_fleet import resolve_outgoing
from provision.spec.written import WrittenSite

ROLES = (LocalPart("abuse"), LocalPart("postmaster"))
"""Local parts that every domain must accept (RFC 5321 4.5.1, RFC 2142)."""


@dataclass(frozen=True, slots=True)
class FleetView:
    """What a site sees of its fleet."""

    defaults: Defaults
    postmaster: Address | None
    own: Mapping[Domain, Domain]
    """Every mail domain of the fleet to the site that owns it."""

    def address(self, written: Address) -> Address:
        """The address by its site's own domain and in lower case, if it is one of the fleet."""
        site = self.own.get(written.domain)
        return Address(site, written.local.lower()) if site else written


def owners(claims: Iterable[tuple[Domain, Sequence[Domain]]]) -> dict[Domain, Domain]:
    """Every mail domain to its site's; ``claims`` are each site's domain and its aliases."""
    every = list(claims)
    own = {alias: domain for domain, aliases in every for alias in aliases}
    return own | {domain: domain for domain, _ in every}


def fleet_view(spec: FleetFile | None, own: Mapping[Domain, Domain]) -> FleetView:
    """The view; where fleet.yml could not be read it is a blank that causes no further problems."""
    defaults = spec.defaults if spec else Defaults(outgoing=Route.NONE.value)
    view = FleetView(defaults, None, own)
    return (
        view
        if not spec or not spec.postmaster
        else replace(view, postmaster=view.address(spec.postmaster))
    )


def resolve_site(
    spec: SiteFile, document: Document, *, fleet: FleetView, context: Context
) -> WrittenSite:
    """The site; what it names and is not there is reported, and stands in as a blank."""
    site = resolve_alone(spec, document, fleet=fleet, context=context)
    return WrittenSite(with_files(site, spec, document, context), spec, document)


def resolve_alone(
    spec: SiteFile, document: Document, *, fleet: FleetView, context: Context
) -> Site:
    """The site without what other files hold: its logo and its certificate."""
    mailboxes = tuple(
        _mailbox(key, spec, document, fleet=fleet, context=context) for key in spec.mailboxes
    )
    catch_all = None if spec.catch_all is None else _address(spec.catch_all, spec, fleet)
    aliases = [
        Alias(LocalPart.parse(key), _addresses(targets, spec, fleet))
        for key, targets in spec.aliases.items()
    ]
    aliases += _roles(mailboxes, aliases, spec=spec, catch_all=catch_all, fleet=fleet)
    return Site(
        domain=spec.site,
        host=spec.host,
        domain_aliases=tuple(sorted(spec.domain_aliases)),
        outgoing=_outgoing(spec, document, fleet, context),
        webmail=Webmail(spec.webmail.name or spec.site.name, None, spec.webmail.color),
        mailboxes=tuple(sorted(mailboxes, key=lambda mailbox: mailbox.local)),
        aliases=tuple(sorted(aliases, key=lambda alias: alias.local)),
        catch_all=catch_all,
        protect=spec.protect,
    )


def with_files(site: Site, spec: SiteFile, document: Document, context: Context) -> Site:
    """The site with its logo and its certificate."""
    if spec.webmail.logo is not None:
        logo = context.logo(spec.webmail.logo, document, "webmail", "logo")
        site = replace(site, webmail=replace(site.webmail, logo=logo))
    if spec.certificate is None:
        return site
    pair = context.certificate(spec.certificate, site.webmail_name, document, "certificate")
    return replace(site, certificate=pair)


def _address(target: Address | LocalPart, spec: SiteFile, fleet: FleetView) -> Address:
    if isinstance(target, LocalPart):
        return Address.of(target, spec.site)
    return fleet.address(target)


def _addresses(
    targets: Sequence[Address | LocalPart], spec: SiteFile, fleet: FleetView
) -> tuple[Address, ...]:
    return tuple(_address(target, spec, fleet) for target in targets)


def _mailbox(
    key: str, spec: SiteFile, document: Document, *, fleet: FleetView, context: Context
) -> Mailbox:
    written = spec.mailboxes[key] or MailboxSpec()
    defaults = fleet.defaults.mailbox
    quota = written.quota or defaults.quota
    return Mailbox(
        local=LocalPart.parse(key),
        name=written.name,
        password=_password(written, document, key, context),
        quota=quota.size if quota else None,
        imap=defaults.imap if written.imap is None else written.imap,
        pop3=defaults.pop3 if written.pop3 is None else written.pop3,
        aliases=tuple(sorted(written.aliases)),
        forward=_forward(written, spec, fleet),
        protect=written.protect,
        moved_from=written.moved_from,
    )


def _forward(written: MailboxSpec, spec: SiteFile, fleet: FleetView) -> Forward | None:
    if written.forward is None:
        return None
    return Forward(_addresses(written.forward.to, spec, fleet), written.forward.keep_copy)


def _password(written: MailboxSpec, document: Document, key: str, context: Context) -> Password:
    path = ("mailboxes", key, "password")
    if written.password and written.password_hash:
        context.problems.error(
            "two-passwords", document.key_place(*path[:2], "password_hash"),
            "the mailbox has a password and a password_hash", hint="keep one of the two",
        )  # fmt: skip
    if written.password_hash:
        return GivenHash(written.password_hash)
    if written.password is None:
        return GeneratedPassword()
    password = context.secret(written.password, document, *path)
    text = password.reveal()
    if text != text.strip() or not text.isprintable():
        context.problems.error(
            "secret-text", document.place(*path),
            "the password starts or ends with a space, or holds a character that cannot be typed",
            hint="change it in secrets.yml",
        )  # fmt: skip
    return GivenPassword(password)


def _outgoing(spec: SiteFile, document: Document, fleet: FleetView, context: Context) -> Outgoing:
    text = spec.outgoing or fleet.defaults.outgoing
    if text is None:
        context.problems.error(
            "outgoing", document.place("site"), "nothing says how this site's mail leaves",
            hint="write outgoing: a smarthost's name, direct or none; here, or under defaults in"
            " fleet.yml",
        )  # fmt: skip
        return Outgoing(Route.NONE)
    return resolve_outgoing(text)


def _roles(
    mailboxes: tuple[Mailbox, ...],
    aliases: list[Alias],
    *,
    spec: SiteFile,
    catch_all: Address | None,
    fleet: FleetView,
) -> list[Alias]:
    """The aliases postmaster and abuse where the site lacks them; none when nobody takes them."""
    taken = {mailbox.local for mailbox in mailboxes} | {alias.local for alias in aliases}
    taken |= {local for mailbox in mailboxes for local in mailbox.aliases}
    first = Address.of(mailboxes[0].local, spec.site) if mailboxes else None
    found: list[Alias] = []
    for role in ROLES:
        own = {Address.of(role, domain) for domain in (spec.site, *spec.domain_aliases)}
        choices = (fleet.postmaster, catch_all, first)
        target = next((choice for choice in choices if choice and choice not in own), None)
        if role not in taken and target:
            found.append(Alias(role, (target,)))
    return found
