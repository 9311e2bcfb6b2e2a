"""Write a fleet folder of many sites on one host, as large as it is asked to be."""

from __future__ import annotations

import base64
import random
from pathlib import Path

from provision.spec.vault import encrypt

HOST = "mail1"
_FLEET = """\
fleet: large
hosts:
  mail1: {address: 198.18.0.11, fqdn: mail1.large.example, release: debian13}
postmaster: person0@site0000.example
defaults: {outgoing: direct, mailbox: {quota: 2G}}
"""
_PASSWORD = b"not a secret"


def write_large_fleet(folder: Path, *, sites: int, mailboxes: int) -> None:
    """A new folder with ``sites`` sites of ``mailboxes`` mailboxes; the same every time.

    Passwords are given as hashes of nothing: making that many would measure ARGON2ID alone.
    """
    chance = random.Random(1)
    (folder / "sites").mkdir(parents=True)
    (folder / ".provision").mkdir(mode=0o700)
    (folder / "fleet.yml").write_text(_FLEET)
    (folder / ".provision/vault-password").write_bytes(_PASSWORD + b"\n")
    secrets = f'fingerprint_key: "{"5ca1e0" * 10}5ca1"\n'.encode()
    (folder / "secrets.yml").write_bytes(encrypt(secrets, _PASSWORD, salt=b"s" * 32))
    for number in range(sites):
        path = folder / f"sites/{site_name(number)}.yml"
        path.write_text("".join(_site(number, mailboxes, chance)))


def site_name(number: int) -> str:
    """The domain of a site."""
    return f"site{number:04d}.example"


def _site(number: int, mailboxes: int, chance: random.Random) -> list[str]:
    lines = [f"site: {site_name(number)}\n", f"host: {HOST}\n"]
    lines += [f"domain_aliases: [site{number:04d}.test]\n", "mailboxes:\n"]
    for person in range(mailboxes):
        lines += _mailbox(number, person, chance)
    lines += ["aliases:\n", "  info: [person0, person1]\n"]
    return [*lines, "  sales: [person2, sales@partner.example]\n", "catch_all: person0\n"]


def _mailbox(site: int, person: int, chance: random.Random) -> list[str]:
    lines = [f"  person{person}:\n", f"    name: Person {person} of Site {site}\n"]
    lines.append(f"    password_hash: '{_hash(chance)}'\n")
    lines += ["    quota: 5G\n"] if person % 4 == 0 else []
    lines += [f"    aliases: [p.{person}]\n"] if person % 3 == 0 else []
    forward = f"    forward: {{to: [person{person}@home.example], keep_copy: true}}\n"
    return [*lines, forward] if person % 20 == 0 else lines


def _hash(chance: random.Random) -> str:
    salt, digest = (_text(chance, size) for size in (16, 32))
    return f"{{ARGON2ID}}$argon2id$v=19$m=19456,t=2,p=1${salt}${digest}"


def _text(chance: random.Random, size: int) -> str:
    return base64.b64encode(chance.randbytes(size)).decode().rstrip("=")
