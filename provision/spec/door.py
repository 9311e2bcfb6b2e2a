"""What the files of a fleet folder may say: strict models, the one place that knows every key.

The JSON Schema for editors and docs/reference/spec.md are made from these models.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from provision.spec.amount_values import DurationValue, QuotaValue
from provision.spec.door_host import CertificateSpec, HostSpec
from provision.spec.door_model import DoorModel, Port
from provision.spec.values import (
    AddressValue,
    ColorValue,
    DisplayValue,
    DomainValue,
    FileValue,
    HashValue,
    LocalKey,
    LocalValue,
    Name,
    SecretValue,
    TargetValue,
    TextValue,
    UsernameValue,
)


class SmarthostSpec(DoorModel):
    """A server that takes our outgoing mail, with the login it gave us."""

    host: DomainValue = Field(description="Its host name.", examples=["smtp.yourisp.example"])
    port: Port = Field(
        default=587,
        description="TCP port: 587 and others with STARTTLS, 465 with TLS from the first byte.",
    )
    tls: Literal["verify", "encrypt"] = Field(
        default="verify",
        description="`verify`: encrypted, and its certificate names `host`; `encrypt`: encrypted,"
        " whatever the certificate says.",
    )
    username: UsernameValue = Field(description="Login, without a colon.", examples=["smartmail"])
    password: SecretValue = Field(
        description="Password of the login.", examples=["!secret yourisp"]
    )


class MailboxDefaults(DoorModel):
    """What every mailbox of the fleet starts from."""

    quota: QuotaValue | None = Field(
        default=None,
        description="Largest size of a mailbox: `500M`, `2G`, or `none`, as when left out.",
        examples=["2G"],
    )
    imap: bool = Field(default=True, description="May log in with IMAP.")
    pop3: bool = Field(default=True, description="May log in with POP3.")
    keep_removed: DurationValue | None = Field(
        default=None,
        description="How long the mail of a removed mailbox is archived before `mailbox purge"
        " --expired` may delete it; `30d` when left out.",
        examples=["30d", "12w"],
    )


class Defaults(DoorModel):
    """What sites and mailboxes do when they do not say otherwise."""

    outgoing: TextValue | None = Field(
        default=None,
        description="How sites' mail leaves: a smarthost's name, `direct` or `none`.",
        examples=["yourisp", "direct", "none"],
    )
    mailbox: MailboxDefaults = Field(
        default=MailboxDefaults.model_construct(), description="What every mailbox starts from."
    )


class FleetFile(DoorModel):
    """fleet.yml: the hosts and what all sites share."""

    fleet: Name = Field(description="The fleet's name.", examples=["smartmail"])
    hosts: dict[Name, HostSpec] = Field(description="Mail hosts by name.", min_length=1)
    smarthosts: dict[Name, SmarthostSpec] = Field(
        default_factory=dict, description="Servers that take our outgoing mail, by name."
    )
    postmaster: AddressValue | None = Field(
        default=None,
        description="Receives postmaster@ and abuse@ of every site that does not name its own.",
        examples=["anna@acme.example"],
    )
    defaults: Defaults = Field(
        default=Defaults.model_construct(mailbox=MailboxDefaults.model_construct()),
        description="What sites and mailboxes do when they do not say otherwise.",
    )


class ForwardSpec(DoorModel):
    """A mailbox passes its mail on."""

    to: list[TargetValue] = Field(
        description="Local parts of this site, or whole addresses.",
        min_length=1,
        max_length=50,
        examples=[["bob@home.example"]],
    )
    keep_copy: bool = Field(default=True, description="The mail stays in the mailbox as well.")


class MailboxSpec(DoorModel):
    """What a person logs in to; the login is the full address."""

    name: DisplayValue = Field(default="", description="Display name.", examples=["Anna Ask"])
    password: SecretValue | None = Field(
        default=None,
        description="Password, from secrets.yml. Without `password` and `password_hash` one is made"
        " at the first apply and shown once.",
        examples=["!secret acme/anna"],
    )
    password_hash: HashValue | None = Field(
        default=None,
        description="Hash of the password, instead of `password`: ARGON2ID, ARGON2I, BLF-CRYPT,"
        " SHA512-CRYPT, SHA256-CRYPT or PBKDF2.",
    )
    quota: QuotaValue | None = Field(
        default=None,
        description="Largest size: `500M`, `2G`, or `none`; as `defaults` say when left out.",
        examples=["5G"],
    )
    imap: bool | None = Field(
        default=None,
        description="May log in with IMAP, as webmail does; as `defaults` say when left out.",
    )
    pop3: bool | None = Field(
        default=None, description="May log in with POP3; as `defaults` say when left out."
    )
    aliases: list[LocalValue] = Field(
        default_factory=list,
        description="Further local parts that deliver here and may be sent as.",
        max_length=500,
        examples=[["a.ask"]],
    )
    forward: ForwardSpec | None = Field(default=None, description="Pass the mail on.")
    moved_from: LocalValue | None = Field(
        default=None,
        description="What it was called before: its mail and password come along. May stay.",
        examples=["bob"],
    )
    protect: bool = Field(
        default=False,
        description="Refuse to remove the mailbox. The host remembers it: delete this line and"
        " apply that before you delete the mailbox.",
    )


class WebmailSpec(DoorModel):
    """How webmail.SITE presents itself."""

    name: DisplayValue | None = Field(
        default=None, description="Name shown to people; the site's domain when left out."
    )
    logo: FileValue | None = Field(
        default=None,
        description="SVG or PNG file below the fleet folder, up to 256 KiB.",
        examples=["assets/acme.svg"],
    )
    color: ColorValue | None = Field(
        default=None, description="Colour of the site.", examples=["#0a5"]
    )


class SiteFile(DoorModel):
    """sites/*.yml: one customer's web presence, its domains and everything in them."""

    site: DomainValue = Field(description="The site's domain.", examples=["acme.example"])
    host: TextValue = Field(description="Name of the host it lives on.", examples=["mail1"])
    domain_aliases: list[DomainValue] = Field(
        default_factory=list,
        description="Further domains with the same addresses.",
        max_length=500,
        examples=[["acme.test"]],
    )
    outgoing: TextValue | None = Field(
        default=None,
        description="How its mail leaves: a smarthost's name, `direct` or `none`; as `defaults` in"
        " fleet.yml says when left out.",
        examples=["yourisp", "direct", "none"],
    )
    webmail: WebmailSpec = Field(
        default=WebmailSpec.model_construct(), description="How webmail.SITE presents itself."
    )
    mailboxes: dict[LocalKey, MailboxSpec | None] = Field(
        default_factory=dict, description="Mailboxes by local part.", max_length=100_000
    )
    aliases: dict[LocalKey, Annotated[list[TargetValue], Field(min_length=1, max_length=1000)]] = (
        Field(
            default_factory=dict,
            description="Addresses that lead to others, by local part.",
            max_length=100_000,
            examples=[{"info": ["anna", "bob"]}],
        )
    )
    catch_all: TargetValue | None = Field(
        default=None, description="Receives what no other address takes.", examples=["anna"]
    )
    certificate: CertificateSpec | None = Field(
        default=None,
        description="Certificate for webmail.SITE; issued by the fleet's own CA when left out.",
    )
    protect: bool = Field(
        default=False,
        description="Refuse to remove the site from its host. The host remembers it: delete this"
        " line and apply that before you delete or move the site.",
    )


NOT_SUPPORTED: dict[tuple[str, str], str] = {
    ("SiteFile", "bulk"): "newsletter mail with limits and a sender of its own",
    ("SiteFile", "limits"): "limits on sent mail",
    ("SiteFile", "moved_from"): "giving a site another domain; a mailbox takes moved_from",
    ("Defaults", "limits"): "limits on sent mail",
    ("MailboxSpec", "limits"): "limits on sent mail",
    ("MailboxSpec", "retrieve"): "collecting mail from other servers",
    ("MailboxSpec", "send_only"): "logins that can only send",
}
"""Keys that a later version knows: model and key to what they are for."""
