"""Password hashes for the mailboxes whose password the host does not hold yet."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from provision.model.accounts import GENERATED, MailboxAccount, Move
from provision.model.fleet import Fleet, GivenHash, GivenPassword, Password
from provision.model.secret import Secret
from provision.plan.state import HostState
from provision.render.accounts import site_passwords

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""No letter or digit that looks like another one."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What goes to one host, and what is shown once to the person who applies."""

    hashes: Mapping[str, tuple[str, Secret]]
    """Address to its fingerprint and password hash."""
    generated: Mapping[str, Secret]
    """Address to the password that was made for it."""


def make_credentials(
    fleet: Fleet,
    accounts: Mapping[str, Sequence[MailboxAccount]],
    actual: HostState,
    *,
    moves: Iterable[Move] = (),
) -> Credentials:
    """Hash what the host needs; ``accounts`` are the mailboxes of each site that changes.

    A mailbox that is renamed keeps the hash that the host has, unless the spec has another password
    for it now.
    """
    passwords = _passwords(fleet, set(accounts))
    held = dict(actual.fingerprints)
    kept = {move.address for move in moves if _is_kept(move, held)}
    needed = [
        mailbox
        for site in accounts.values()
        for mailbox in site
        if mailbox.address not in kept or mailbox.address in held
        if is_needed(mailbox, held.get(mailbox.address))
    ]
    with ThreadPoolExecutor() as pool:  # argon2 works outside the interpreter lock
        made = list(pool.map(lambda mailbox: _make(passwords[mailbox.address]), needed))
    hashes = {
        mailbox.address: (mailbox.fingerprint, hashed)
        for mailbox, (hashed, _) in zip(needed, made, strict=True)
    }
    generated = {
        mailbox.address: password
        for mailbox, (_, password) in zip(needed, made, strict=True)
        if password is not None
    }
    return Credentials(hashes, generated)


def is_needed(mailbox: MailboxAccount, held: str | None) -> bool:
    """True when the host has no hash of this password; a generated one never replaces another."""
    if mailbox.fingerprint == GENERATED:
        return held is None
    return held != mailbox.fingerprint


def _is_kept(move: Move, held: Mapping[str, str]) -> bool:
    """True when the host has a hash of the same password under the old address."""
    old = held.get(move.origin)
    return old is not None and move.fingerprint in {GENERATED, old}


def _passwords(fleet: Fleet, sites: set[str]) -> dict[str, Password]:
    return {
        address: password
        for site in fleet.sites
        if site.domain.name in sites
        for address, password in site_passwords(fleet, site).items()
    }


def _make(password: Password) -> tuple[Secret, Secret | None]:
    """The hash, and the password itself when it was made here."""
    if isinstance(password, GivenHash):
        return password.hash, None
    if isinstance(password, GivenPassword):
        return hash_password(password.password), None
    made = generate_password()
    return hash_password(made), made


def hash_password(password: Secret) -> Secret:
    """ARGON2ID with 19 MiB and two passes (OWASP Password Storage Cheat Sheet).

    A host checks one password at a time, so this is also how fast people get back in after a
    restart; 64 MiB and three passes, as ``doveadm pw`` has it, takes four times as long.
    """
    from argon2 import PasswordHasher  # noqa: PLC0415 - a plan hashes nothing

    hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
    return Secret("{ARGON2ID}" + hasher.hash(password.reveal()))


def generate_password() -> Secret:
    """Twenty characters in four groups: 99 bits, and still possible to type on a telephone."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
    return Secret("-".join(groups))
