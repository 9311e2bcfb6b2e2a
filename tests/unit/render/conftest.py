"""A small fleet with one of everything, as values."""

from __future__ import annotations

import pytest

from provision.model.address import Address, Domain, LocalPart
from provision.model.amounts import Size
from provision.model.certificate import CertificatePair, Certificates
from provision.model.fleet import (
    Alias,
    Fleet,
    Forward,
    GeneratedPassword,
    GivenHash,
    GivenPassword,
    Host,
    Mailbox,
    Outgoing,
    Release,
    Route,
    Site,
    Smarthost,
    TlsPolicy,
    Webmail,
)
from provision.model.secret import Secret
from provision.render.view import HostView

QUOTA = Size.parse("2G")


def _alias(local: str, *targets: str) -> Alias:
    return Alias(LocalPart.parse(local), tuple(Address.parse(target) for target in targets))


def _mailbox(local: str, password: str) -> Mailbox:
    return Mailbox(LocalPart(local), local.title(), GivenPassword(Secret(password)), QUOTA)


@pytest.fixture
def smarthost() -> Smarthost:
    return Smarthost(
        name="yourisp",
        host=Domain("smtp.yourisp.example"),
        port=587,
        tls=TlsPolicy.VERIFY,
        username="smart mail$user#1",
        password=Secret("p: $ss #wo{rd}"),
    )


@pytest.fixture
def acme() -> Site:
    anna = Mailbox(
        LocalPart("anna"),
        "Anna Ask",
        GivenPassword(Secret("anna's password")),
        QUOTA,
        aliases=(LocalPart("a.ask"),),
    )
    bob = Mailbox(
        LocalPart("bob"),
        "Bob",
        GivenHash(Secret("{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA")),
        None,
        pop3=False,
        forward=Forward((Address.parse("bob@home.example"),), keep_copy=True),
    )
    carla = Mailbox(LocalPart("carla"), "Carla", GeneratedPassword(), QUOTA)
    return Site(
        domain=Domain("acme.example"),
        host="mail1",
        domain_aliases=(Domain("acme.test"),),
        outgoing=Outgoing(Route.SMARTHOST, "yourisp"),
        webmail=Webmail("Acme"),
        mailboxes=(anna, bob, carla),
        aliases=(
            _alias("info", "anna@acme.example", "bob@acme.example"),
            _alias("postmaster", "dora@blue.example"),
            _alias("sales", "anna@acme.example", "sales@partner.example"),
        ),
        catch_all=Address.parse("anna@acme.example"),
    )


@pytest.fixture
def blue() -> Site:
    return Site(
        domain=Domain("blue.example"),
        host="mail1",
        domain_aliases=(),
        outgoing=Outgoing(Route.DIRECT),
        webmail=Webmail("Blue"),
        mailboxes=(_mailbox("dora", "dora's password"),),
        aliases=(_alias("postmaster", "dora@blue.example"),),
    )


@pytest.fixture
def quiet() -> Site:
    return Site(
        domain=Domain("quiet.example"),
        host="mail1",
        domain_aliases=(),
        outgoing=Outgoing(Route.NONE),
        webmail=Webmail("Quiet"),
        mailboxes=(_mailbox("fred", "fred's password"),),
        aliases=(_alias("postmaster", "fred@quiet.example"),),
    )


@pytest.fixture
def fleet(smarthost: Smarthost, acme: Site, blue: Site, quiet: Site) -> Fleet:
    host = Host("mail1", "198.18.0.11", Domain("mail1.smartmail.example"), Release.DEBIAN13)
    key = Secret("a key that only this fleet has")
    return Fleet("smartmail", (host,), (smarthost,), (acme, blue, quiet), key)


@pytest.fixture
def view(fleet: Fleet) -> HostView:
    certificate = CertificatePair("certificate\n", Secret("key\n"))
    return HostView.of(fleet, fleet.hosts[0], Certificates({"mail1": certificate}, {}))
