"""Accounts: the host has each site's document, and both daemons look up what it says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from provision.hosts.observer_program import looking
from provision.model.fleet import Site
from provision.render.dovecot import MAIL_FOLDER, MAIL_USER
from provision.verify.backend import output
from provision.verify.outcome import fault, require, require_none
from provision.verify.target import ReachedTarget

_APPLY = "`provision plan` shows the difference, `provision apply` mends it."
_AT_ONCE = 200
_OBSERVE = "\njson.dump(store.observe(store.Layout()), sys.stdout)\n"


def test_account_documents_are_current(target: ReachedTarget) -> None:
    """The host has the accounts of every site as the spec has them, undamaged."""
    done = target.shell.run_python(looking() + _OBSERVE, request={})
    if done.status != 0:
        fault("the account data cannot be read", detail=done.stderr.decode(errors="replace"))
    observed = json.loads(done.stdout)
    wrong = [
        f"the accounts of {accounts.site} are not those of the spec"
        for accounts in target.target.bundle.accounts
        if observed["sites"].get(accounts.site) != accounts.digest()
    ]
    wrong += [str(damage) for damage in observed["damage"]]
    require_none(wrong, hint=_APPLY)


def test_dovecot_knows_every_mailbox(host: Any, target: ReachedTarget, site: Site) -> None:
    """Dovecot finds every mailbox of {site}."""
    accounts = [a for a in target.target.bundle.accounts if a.site == site.domain.name]
    addresses = [mailbox.address for entry in accounts for mailbox in entry.mailboxes]
    unknown: list[str] = []
    for group in _groups(addresses):
        if host.run("doveadm user %s >/dev/null" % " ".join(["%s"] * len(group)), *group).failed:  # noqa: UP031 - testinfra quotes by %
            unknown += [one for one in group if host.run("doveadm user %s", one).failed]
    require_none([f"Dovecot does not know {address}" for address in unknown], hint=_APPLY)


def test_postfix_knows_every_address(host: Any, target: ReachedTarget, site: Site) -> None:
    """Postfix finds every mailbox and alias of {site}."""
    accounts = [a for a in target.target.bundle.accounts if a.site == site.domain.name]
    wanted = [mailbox.address for entry in accounts for mailbox in entry.mailboxes]
    wanted += [address for entry in accounts for box in entry.mailboxes for address in box.aliases]
    wanted += [alias.address for entry in accounts for alias in entry.aliases]
    maps = output(host, "postconf -xh virtual_alias_maps").replace(",", " ").split()
    require(maps, "virtual_alias_maps names no map", hint=_APPLY)
    known: set[str] = set()
    for group in _groups(wanted):
        command = "printf '%%s\\n' " + " ".join(["%s"] * len(group))
        for one in maps:
            answer = host.run(f"{command} | postmap -q - %s", *group, one)
            known |= {line.split()[0] for line in answer.stdout.splitlines() if line.split()}
    require_none(
        [f"Postfix does not know {address}" for address in wanted if address not in known],
        hint=_APPLY,
    )


def test_mail_folders_belong_to_the_mail_user(host: Any) -> None:
    """Every mail folder belongs to the user who delivers to it, and to nobody else."""
    # Pigeonhole makes its folder of compiled scripts 0750, within a folder of 0700.
    wrong = output(
        host,
        f"find {MAIL_FOLDER} -maxdepth 3 -path {MAIL_FOLDER}/.archive -prune -o"
        f" '(' ! -user {MAIL_USER} -o -type d ! -name '*.svbin' -perm /077 ')'"
        " -printf '%p is %u:%g %m\\n'",
    )
    require_none(wrong.splitlines(), hint=f"Its mail waits: `chown -R {MAIL_USER}:` it, mode 700.")


def _groups(addresses: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(addresses)
    while group := list(islice(rest, _AT_ONCE)):
        yield group
