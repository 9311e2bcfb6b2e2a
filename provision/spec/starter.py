"""The files of a fleet folder to start from: small, commented, and valid as they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from provision.spec.vault import encrypt

_FLEET = """\
# One fleet: its hosts, and what all sites share. Every key: docs/reference/spec.md
fleet: {name}

hosts:
  mail1:
    address: 192.0.2.10         # where SSH goes: change it
    fqdn: mail1.example.net     # its name in HELO, banners and MX records: change it
    release: debian13
    # ssh: {{user: admin, port: 22}}
    firewall:                   # in comes what mail, web and SSH need, and nothing else
      ssh_from: ["0.0.0.0/0", "::/0"]   # better: the networks that you work from
      # also_open: [tcp/8080]

# Servers that take our outgoing mail, with the login that the provider gave.
# smarthosts:
#   yourisp:
#     host: smtp.yourisp.example
#     port: 587
#     tls: verify               # or encrypt: whatever its certificate says
#     username: smartmail
#     password: !secret yourisp

# Receives postmaster@ and abuse@ of every site that does not name its own.
# postmaster: anna@example.org

defaults:
  outgoing: direct              # or a smarthost's name, or none
  mailbox: {{quota: 2G}}
"""

_SITE = """\
# One site: its domains and everything in them. One file a site, at any depth below sites/.
site: example.org
host: mail1
# domain_aliases: [example.com] # further domains with the same addresses
# outgoing: yourisp             # else as defaults in fleet.yml say
webmail: {name: Example Mail, color: "#06c"}

mailboxes:
  anna:
    name: Anna Ask
    password: !secret example.org/anna
    aliases: [a.ask]
  bob:                          # no password: one is made at the first apply and shown once
    name: Bob Burr
    quota: 5G
    # forward: {to: [bob@home.example], keep_copy: true}
    # protect: true             # refuse to remove it until an apply has lifted this

aliases:
  info: [anna, bob]

# catch_all: anna               # receives what no other address takes
"""

_SECRETS = """\
# Secrets of this fleet; edit with: ansible-vault edit secrets.yml
fingerprint_key: "{fingerprint_key}"
example.org: {{anna: "{anna}"}}
"""

_IGNORED = """\
# This machine's state and the password that opens secrets.yml: never in git.
/.provision/
/.vault-password
"""

_README = """\
# Mail fleet {name}

`fleet.yml` names the hosts, `sites/` has a file for each site, `secrets.yml` is encrypted with
ansible-vault. The password that opens it is in `.provision/vault-password`, which git ignores:
keep a copy of it in a safe place.

    provision check                 # is everything right?
    provision plan                  # what would change on the hosts?
    provision apply                 # make it so
    provision verify                # prove it, with real mail

    ansible-vault edit --vault-password-file .provision/vault-password secrets.yml
"""


@dataclass(frozen=True, slots=True)
class Randomness:
    """What a new fleet folder needs that nobody can guess; the caller makes it."""

    vault_password: str = field(repr=False)
    salt: bytes = field(repr=False)
    fingerprint_key: str = field(repr=False)
    """64 hexadecimal digits."""
    password: str = field(repr=False)


def starter_files(name: str, randomness: Randomness) -> dict[str, bytes]:
    """Content by path below the new folder; ``name`` is the fleet's."""
    secrets = _SECRETS.format(fingerprint_key=randomness.fingerprint_key, anna=randomness.password)
    password = randomness.vault_password.encode("ascii")
    return {
        ".provision/vault-password": password + b"\n",
        ".gitignore": _IGNORED.encode("ascii"),
        "README.md": _README.format(name=name).encode("ascii"),
        "fleet.yml": _FLEET.format(name=name).encode("ascii"),
        "secrets.yml": encrypt(secrets.encode("ascii"), password, salt=randomness.salt),
        "sites/example.org.yml": _SITE.encode("ascii"),
    }
