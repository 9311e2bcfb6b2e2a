"""Account documents name what a host needs and give no password away."""

from __future__ import annotations

import json
from dataclasses import replace

from provision.model.accounts import GENERATED, MailboxAccount
from provision.model.fleet import Fleet, GivenHash, GivenPassword, Site
from provision.model.probe import probe_password
from provision.model.secret import Secret
from provision.render.accounts import fingerprint, render_accounts, site_passwords
from provision.render.view import HostView


def _mailboxes(view: HostView, site: str) -> dict[str, MailboxAccount]:
    documents = {document.site: document for document in render_accounts(view)}
    return {mailbox.address: mailbox for mailbox in documents[site].mailboxes}


def test_documents_hold_no_password_and_no_hash(view: HostView) -> None:
    text = b"".join(document.document() for document in render_accounts(view)).decode()
    for secret in ("password", "argon2id", "p: $ss"):
        assert secret not in text


def test_document_names_route_and_next_hop(view: HostView) -> None:
    documents = {document.site: document for document in render_accounts(view)}
    routes = {site: (d.route, d.nexthop) for site, d in documents.items()}
    assert routes == {
        "acme.example": ("smarthost:yourisp", "[smtp.yourisp.example]:587"),
        "blue.example": ("direct", ""),
        "quiet.example": ("none", ""),
    }


def test_document_carries_aliases_forwards_and_protocols(view: HostView) -> None:
    mailboxes = _mailboxes(view, "acme.example")
    assert mailboxes["anna@acme.example"].aliases == ("a.ask@acme.example",)
    bob = mailboxes["bob@acme.example"]
    assert (bob.forward_to, bob.forward_keep) == (("bob@home.example",), True)
    assert (bob.imap, bob.pop3, bob.quota) == (True, False, 0)
    assert mailboxes["carla@acme.example"].fingerprint == GENERATED


def test_document_remembers_what_is_protected(view: HostView) -> None:
    site = view.sites[0]
    boxes = tuple(replace(box, protect=str(box.local) == "anna") for box in site.mailboxes)
    kept = replace(site, protect=True, mailboxes=boxes)
    (document,) = render_accounts(replace(view, sites=(kept,)))
    assert document.protect
    protected = [box.address for box in document.mailboxes if box.protect]
    assert protected == ["anna@acme.example"]


def test_every_site_has_a_probe_whose_password_differs(view: HostView, fleet: Fleet) -> None:
    probes = {site.domain: probe_password(fleet, site.domain).reveal() for site in fleet.sites}
    assert len(set(probes.values())) == 3
    assert all(len(password) == 32 for password in probes.values())
    for site in fleet.sites:
        address = f"provision-probe@{site.domain}"
        assert address in _mailboxes(view, str(site.domain))
        assert site_passwords(fleet, site)[address] == GivenPassword(Secret(probes[site.domain]))


def test_fingerprint_changes_with_address_password_and_key() -> None:
    password = GivenPassword(Secret("one"))
    first = fingerprint("a@x.example", password, key=Secret("k"))
    assert first == fingerprint("a@x.example", password, key=Secret("k"))
    others = {
        fingerprint("b@x.example", password, key=Secret("k")),
        fingerprint("a@x.example", GivenPassword(Secret("two")), key=Secret("k")),
        fingerprint("a@x.example", password, key=Secret("l")),
        fingerprint("a@x.example", GivenHash(Secret("one")), key=Secret("k")),
    }
    assert len(others) == 4
    assert first not in others


def test_order_of_the_spec_does_not_matter(view: HostView, fleet: Fleet, acme: Site) -> None:
    turned = replace(
        acme,
        mailboxes=tuple(reversed(acme.mailboxes)),
        aliases=tuple(
            replace(alias, targets=tuple(reversed(alias.targets)))
            for alias in reversed(acme.aliases)
        ),
    )
    other = HostView.of(
        replace(fleet, sites=(turned, *fleet.sites[1:])), view.host, view.certificates
    )
    assert render_accounts(other) == render_accounts(view)


def test_document_is_canonical_json(view: HostView) -> None:
    for site in render_accounts(view):
        value = json.loads(site.document())
        again = json.dumps(value, sort_keys=True, separators=(",", ":")) + "\n"
        assert again.encode() == site.document()
