"""A small estate before and after a change, written into a folder of its own.

Standard library only: it runs on a host, with the folder of the modules as first argument.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Value = dict[str, Any]
State = dict[str, tuple[int, int, int, str]]
Outcome = tuple[int, list[str]]
"""How many trials there were, and what went wrong in them."""

_MODULES = Path(sys.argv[1])
sys.path.insert(0, str(_MODULES.parent))
accounts = importlib.import_module(f"{_MODULES.name}.provision_accounts")
store = importlib.import_module(f"{_MODULES.name}.provision_account_store")

HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA"


def layout(root: Path) -> Any:
    return store.Layout(
        root=str(root), mail_user="nobody", dovecot_group="nogroup", postfix_group="postfix"
    )


def mailbox(address: str, **changes: Any) -> Value:
    return {
        "address": address,
        "name": "",
        "fingerprint": "hmac:1",
        "quota": 1024,
        "imap": True,
        "pop3": True,
        "aliases": [],
        "forward_to": [],
        "forward_keep": True,
        **changes,
    }


def site(name: str, *mailboxes: Value, **changes: Any) -> Value:
    return {
        "site": name,
        "domain_aliases": [],
        "route": "direct",
        "nexthop": "",
        "mailboxes": list(mailboxes),
        "aliases": [],
        "catch_all": None,
        "version": 1,
        **changes,
    }


def delta(*documents: Value, removed: Sequence[str] = ()) -> Value:
    logins = [entry for document in documents for entry in document["mailboxes"]]
    return {
        "sites": {document["site"]: json.dumps(document) for document in documents},
        "removed": list(removed),
        "hashes": {
            entry["address"]: {"fingerprint": entry["fingerprint"], "hash": HASH}
            for entry in logins
        },
    }


BEFORE = delta(
    site(
        "one.example",
        mailbox("stays@one.example"),
        mailbox("leaves@one.example"),
        mailbox("changes@one.example", forward_to=["x@home.example"]),
        aliases=[{"address": "info@one.example", "targets": ["stays@one.example"]}],
    ),
    site("two.example", mailbox("stays@two.example"), catch_all="stays@two.example"),
    site("gone.example", mailbox("anna@gone.example")),
)
AFTER = delta(
    site(
        "one.example",
        mailbox("stays@one.example"),
        mailbox("changes@one.example", pop3=False, fingerprint="hmac:2", aliases=["c@one.example"]),
        mailbox("comes@one.example", forward_to=["y@home.example"]),
        aliases=[
            {"address": "info@one.example", "targets": ["stays@one.example", "z@out.example"]}
        ],
        domain_aliases=["one.test"],
        route="none",
    ),
    site("new.example", mailbox("anna@new.example"), route="smarthost:isp", nexthop="[isp.x]:25"),
    removed=["gone.example"],
)
STAYING = ("stays@one.example", "changes@one.example", "info@one.example", "any@two.example")


def prepare(root: Path) -> None:
    for path in ("/var/lib/provision", "/etc/dovecot", "/etc/postfix", "/var/mail/provision"):
        Path(f"{root}{path}").mkdir(parents=True)
    accounts.apply_delta(layout(root), BEFORE)
    Path(f"{root}/var/mail/provision/one.example/leaves/mail").write_text("a letter\n")


def dump(root: Path, name: str) -> dict[str, str]:
    path = f"{root}/etc/postfix/accounts/{name}"
    done = subprocess.run(
        ["postmap", "-s", f"cdb:{path}"], capture_output=True, text=True, check=True
    )
    return dict(line.split("\t", 1) for line in done.stdout.splitlines())


def end_state(root: Path) -> State:
    """Every file and folder with its content, mode and owner; archives without their moment."""
    found = {}
    for path in sorted(Path(root).rglob("*")):
        name = str(path.relative_to(root))
        if ".archive/" in name:
            head, _, tail = name.partition(".archive/")
            name = f"{head}.archive/MOMENT-{tail.partition('-')[2]}"
        state = path.lstat()
        content = "" if path.is_dir() else path.read_bytes().hex()
        if path.name == "record.json":
            record = json.loads(path.read_text())
            content = json.dumps({**record, "removed": 0, "keep_until": 0})
        found[name] = (state.st_mode, state.st_uid, state.st_gid, content)
    return found


def differing(root: Path, wanted: State) -> list[str]:
    ours = end_state(root)
    return sorted(
        name
        for name in ours.keys() | wanted.keys()
        if ours.get(name) != wanted.get(name) and not name.endswith(".lock")
    )
