"""The documents of two sites, and the tables that they become."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.provision_account_tables import Tables, compile_tables

HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA"


def mailbox(address: str, **changes: Any) -> dict[str, Any]:
    return {
        "address": address,
        "name": "",
        "fingerprint": "hmac:00",
        "quota": 0,
        "imap": True,
        "pop3": True,
        "aliases": [],
        "forward_to": [],
        "forward_keep": True,
        **changes,
    }


def acme(**changes: Any) -> dict[str, Any]:
    return {
        "site": "acme.example",
        "domain_aliases": ["acme.test"],
        "route": "smarthost:yourisp",
        "nexthop": "[smtp.yourisp.example]:587",
        "mailboxes": [
            mailbox("anna@acme.example", aliases=["a.ask@acme.example"], quota=2048),
            mailbox("bob@acme.example", forward_to=["bob@home.example"], pop3=False),
        ],
        "aliases": [
            {"address": "info@acme.example", "targets": ["anna@acme.example", "bob@acme.example"]},
            {
                "address": "sales@acme.example",
                "targets": ["anna@acme.example", "sales@partner.example"],
            },
        ],
        "catch_all": "anna@acme.example",
        "version": 1,
        **changes,
    }


def blue(**changes: Any) -> dict[str, Any]:
    return {
        "site": "blue.example",
        "domain_aliases": [],
        "route": "none",
        "nexthop": "",
        "mailboxes": [mailbox("dora@blue.example", imap=False)],
        "aliases": [{"address": "postmaster@blue.example", "targets": ["anna@acme.example"]}],
        "catch_all": None,
        "version": 1,
        **changes,
    }


def tables(*documents: dict[str, Any]) -> Tables:
    logins = [entry["address"] for document in documents for entry in document["mailboxes"]]
    return compile_tables(documents, dict.fromkeys(logins, HASH))
