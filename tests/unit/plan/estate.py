"""A small desired state and the answer of a host that has exactly that."""

from __future__ import annotations

import base64
from typing import Any

from provision.model.accounts import AliasAccount, MailboxAccount, SiteAccounts
from provision.model.address import Domain
from provision.model.bundle import (
    Activation,
    Bundle,
    ManagedDirectory,
    ManagedFile,
    ManagedUnit,
    Part,
    SystemUser,
    Verb,
)
from provision.model.fleet import Host, Release
from provision.plan.state import HostState

HOST = Host("mail1", "198.18.0.11", Domain("mail1.smartmail.example"), Release.DEBIAN13)
POSTFIX = Activation("postfix.service", Verb.RELOAD)
MAIN = ManagedFile("/etc/postfix/main.cf", b"relay = no\n", activations=(POSTFIX,))
KEY = ManagedFile(
    "/etc/provision/tls/host.key",
    b"canary-key\n",
    mode=0o600,
    secret=True,
    activations=(POSTFIX, Activation("dovecot.service", Verb.RELOAD)),
)


def mailbox(address: str, **values: Any) -> MailboxAccount:
    standard: dict[str, Any] = {"name": "", "fingerprint": "hmac:11", "quota": 2 * 1024**3}
    return MailboxAccount(address=address, imap=True, pop3=True, **{**standard, **values})


ACME = SiteAccounts(
    site="acme.example",
    domain_aliases=(),
    route="direct",
    nexthop="",
    mailboxes=(mailbox("anna@acme.example"), mailbox("bob@acme.example")),
    aliases=(AliasAccount("info@acme.example", ("anna@acme.example",)),),
    catch_all=None,
)


def desired(*, files: tuple[ManagedFile, ...] = (MAIN, KEY), site: SiteAccounts = ACME) -> Bundle:
    part = Part(
        files=files,
        directories=(ManagedDirectory("/etc/provision", ours=True),),
        packages=("postfix", "postfix-cdb", "dovecot-imapd"),
        units=(ManagedUnit("postfix.service"), ManagedUnit("dovecot.service")),
        users=(SystemUser("vmail", "/var/mail/provision"),),
    )
    return Bundle.of(HOST, parts=(part,), accounts=(site,))


def leaving(**values: Any) -> dict[str, Any]:
    """What left the spec, as the observer says it; nothing by default."""
    return {"units": [], "packages": {}, "users": [], "directories": [], **values}


def reply(**changes: Any) -> dict[str, Any]:
    """What the observer says about a host that is exactly as ``desired()`` asks."""
    bundle = desired()
    running = {"load": "loaded", "active": "active", "sub": "running", "enabled": "enabled"}
    return {
        "release": "debian13",
        "generation": 4,
        "recorded": {file.path: _recorded(file) for file in bundle.files},
        "files": {file.path: {"kind": "file", **_seen(file)} for file in bundle.files},
        "directories": {
            "/etc/provision": {"mode": 0o755, "owner": "root", "group": "root", "foreign": []}
        },
        "packages": dict.fromkeys(bundle.packages, "1"),
        "units": {unit.name: dict(running) for unit in bundle.units},
        "users": {"vmail": {"home": "/var/mail/provision", "groups": []}},
        "accounts": {},
        "account_digests": {"acme.example": ACME.digest()},
        "mail": {},
        "archived": {},
        "account_damage": [],
        "fingerprints": {},
        "dpkg_interrupted": False,
        "switch_interrupted": False,
        "pending": [],
        "holder": None,
        "fleet": "smartmail",
        "leaving": leaving(),
        "existing": 6,
        "rehearsed": False,
        "hold": None,
        **changes,
    }


def bare() -> HostState:
    """A host that nobody has touched."""
    nothing: dict[str, Any] = {
        name: {} for name in ("recorded", "files", "directories", "packages", "units", "users")
    }
    return HostState.parse(reply(**nothing, generation=0, account_digests={}))


def with_accounts(site: SiteAccounts) -> HostState:
    """A host that has ``site``'s document and is otherwise as desired."""
    document = base64.b64encode(site.document()).decode()
    return HostState.parse(
        reply(accounts={site.site: document}, account_digests={site.site: site.digest()})
    )


def _seen(file: ManagedFile) -> dict[str, Any]:
    return {
        "sha256": file.sha256(),
        "mode": file.mode,
        "owner": file.owner,
        "group": file.group,
    }


def _recorded(file: ManagedFile) -> dict[str, Any]:
    activations = [[a.unit, int(a.verb)] for a in file.activations]
    return {**_seen(file), "secret": file.secret, "activations": activations}
