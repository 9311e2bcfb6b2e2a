"""A fleet: hosts, smarthosts and sites with their mailboxes, as the spec asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from provision.model.accounts import KnownAccounts
from provision.model.address import Address, Domain, LocalPart
from provision.model.amounts import Duration, Size
from provision.model.certificate import CertificatePair
from provision.model.firewall import Firewall
from provision.model.secret import Secret

KEEP_REMOVED = Duration(30 * 86400)
"""How long a removed mailbox's archive is kept when the spec does not say."""


class Release(StrEnum):
    """A Debian release that a host declares; compared with the host, never probed by render."""

    DEBIAN13 = "debian13"


class TlsPolicy(StrEnum):
    """How a connection to a smarthost is secured (postconf(5), smtp_tls_security_level)."""

    VERIFY = "verify"
    """Encrypted, and the certificate names the smarthost's host ("secure")."""
    ENCRYPT = "encrypt"
    """Encrypted, whatever the certificate says."""


@dataclass(frozen=True, slots=True)
class Host:
    """One mail host."""

    name: str
    address: str
    """IPv4 or IPv6 address, or a host name: where SSH goes."""
    fqdn: Domain
    release: Release
    ssh_user: str = "root"
    ssh_port: int = 22
    certificate: CertificatePair | None = None
    """Certificate for ``fqdn`` given as files; None: issued by the fleet-local CA."""
    firewall: Firewall | None = None
    """None: what filters packets on it is not our business."""


@dataclass(frozen=True, slots=True)
class Smarthost:
    """A server that takes our outgoing mail, with the login it gave us."""

    name: str
    host: Domain
    port: int
    tls: TlsPolicy
    username: str
    password: Secret


class Route(StrEnum):
    """The kinds of way that a site's mail may leave."""

    SMARTHOST = "smarthost"
    DIRECT = "direct"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """How a site's mail leaves: through a named smarthost, direct, or not at all."""

    route: Route
    smarthost: str | None = None
    """Name of the smarthost exactly when ``route`` is SMARTHOST."""


@dataclass(frozen=True, slots=True)
class GivenPassword:
    """The password stands in secrets.yml."""

    password: Secret


@dataclass(frozen=True, slots=True)
class GivenHash:
    """The spec gives a hash with its scheme, as in ``{ARGON2ID}$argon2id$...``."""

    hash: Secret


@dataclass(frozen=True, slots=True)
class GeneratedPassword:
    """Made at the first apply and shown once; afterwards the host owns it."""


Password = GivenPassword | GivenHash | GeneratedPassword


@dataclass(frozen=True, slots=True)
class Forward:
    """A mailbox passes its mail on."""

    to: tuple[Address, ...]
    keep_copy: bool


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What a person logs in to; the login is the full address."""

    local: LocalPart
    name: str
    """Display name; free text, may be empty."""
    password: Password
    quota: Size | None
    """None: no limit."""
    imap: bool = True
    pop3: bool = True
    aliases: tuple[LocalPart, ...] = ()
    forward: Forward | None = None
    protect: bool = False
    """Not to be removed before an apply has lifted this."""
    moved_from: LocalPart | None = None
    """What it was called before: its mail and password come along."""


@dataclass(frozen=True, slots=True)
class Alias:
    """One address to one or more others, of ours or elsewhere."""

    local: LocalPart
    targets: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture for the site's webmail: file name as written, media type, content."""

    filename: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Webmail:
    """How webmail.SITE presents itself."""

    name: str
    """Product name shown to people; free text."""
    logo: Logo | None = None
    color: str | None = None
    """``#rgb`` or ``#rrggbb``."""


@dataclass(frozen=True, slots=True)
class Site:
    """A customer's web presence: its domains and everything in them. Lives on one host."""

    domain: Domain
    host: str
    domain_aliases: tuple[Domain, ...]
    outgoing: Outgoing
    webmail: Webmail
    mailboxes: Sequence[Mailbox]
    """Sorted by local part."""
    aliases: Sequence[Alias]
    """Sorted; includes postmaster and abuse, which every domain must accept (RFC 5321 4.5.1)."""
    catch_all: Address | None = None
    certificate: CertificatePair | None = None
    """Certificate for ``webmail_name`` given as files; None: issued by the fleet-local CA."""
    protect: bool = False
    """Not to be removed from its host before an apply has lifted this."""
    accounts: KnownAccounts | None = field(default=None, compare=False)
    """What is remembered of its account document, made from the same spec."""

    @property
    def domains(self) -> tuple[Domain, ...]:
        """The site's own domain first, then its aliases."""
        return (self.domain, *self.domain_aliases)

    @property
    def webmail_name(self) -> Domain:
        """Where the site's webmail answers."""
        return Domain(f"webmail.{self.domain}")

    def address_of(self, mailbox: Mailbox) -> Address:
        """The login and primary address of one of this site's mailboxes."""
        return Address.of(mailbox.local, self.domain)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that one fleet folder asks for."""

    name: str
    hosts: tuple[Host, ...]
    smarthosts: tuple[Smarthost, ...]
    sites: tuple[Site, ...]
    """Sorted by domain."""
    fingerprint_key: Secret
    """Key of password fingerprints and of derived probe passwords; from secrets.yml."""
    keep_removed: Duration = KEEP_REMOVED
    """How long the archive of a removed mailbox is kept before a purge may take it."""
    postmaster: Address | None = None
    """Who reads what a host itself has to say (root, undeliverable bounces); None: nobody."""

    def host(self, name: str) -> Host:
        """The host of that name; KeyError when there is none."""
        return {host.name: host for host in self.hosts}[name]

    def smarthost(self, name: str) -> Smarthost:
        """The smarthost of that name; KeyError when there is none."""
        return {smarthost.name: smarthost for smarthost in self.smarthosts}[name]

    def sites_on(self, host: Host) -> tuple[Site, ...]:
        """The sites that live on ``host``, sorted by domain."""
        return tuple(site for site in self.sites if site.host == host.name)
