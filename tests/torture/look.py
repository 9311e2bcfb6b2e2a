"""What an apply may change on a host, as values that can be compared; and what it must not leave.

Left out, because an undisturbed run has others too: numbers and moments of generations
(generations/, the number in current/manifest.json, replaced/), audit.log (a line per try), names of
archives but for their addresses (moment and count of tries), times of files, the numbers of owners
(a package's user gets the next free one), what is in mailboxes (the letters that were sent to try
the host), and the password hash of the probe of a site that comes (each ARGON2ID hash has a salt of
its own) with its digests in compiled.json and index.json.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from provision.lab.lab import Lab

HOST = "mail1"

_ON_HOST = r"""
import glob, grp, hashlib, json, os, pwd, re, stat, subprocess
STATE = "/var/lib/provision"

SALTED = re.compile(rb'(provision-probe@green\.example[^{]*(?:\{[^{]*)?)\{ARGON2ID\}[^":]+')

EVERY = re.compile(rb'\{ARGON2ID\}[^":]+')
MASKED = MASK_ALL

def content(path):
    found = open(path, "rb").read()
    if MASKED and "/accounts/" in path and not path.endswith(".cdb"):
        if path.endswith(("compiled.json", "index.json")):
            values = json.loads(found)
            return json.dumps(sorted(values.get("files") or values["sites"])).encode()
        return EVERY.sub(b"HASH", found)
    if path == STATE + "/accounts/index.json":
        values = json.loads(found)
        values["sites"].get("green.example", {}).get("inputs", ["", ""])[1] = ""
        return json.dumps(values, sort_keys=True).encode()
    if path == STATE + "/accounts/compiled.json":
        values = json.loads(found)
        values["inputs"].get("green.example", ["", ""])[1] = ""
        values["files"].pop("/etc/dovecot/accounts/green.example.passwd", None)
        return json.dumps(values, sort_keys=True).encode()
    return SALTED.sub(rb"\1HASH", found) if "green.example" in path else found

def name_of(look_up, number):
    try:
        return look_up(number)[0]
    except KeyError:
        return number

def entry(path):
    try:
        state = os.lstat(path)
    except OSError:
        return None
    owner, group = name_of(pwd.getpwuid, state.st_uid), name_of(grp.getgrgid, state.st_gid)
    kind = [oct(state.st_mode), owner, group]
    if stat.S_ISREG(state.st_mode):
        kind.append(hashlib.sha256(content(path)).hexdigest())
    if stat.S_ISLNK(state.st_mode):
        kind.append(os.readlink(path))
    return kind

managed, folders = set(), set()
for name in glob.glob(STATE + "/generations/*/manifest.json"):
    manifest = json.load(open(name))
    managed |= set(manifest["files"])
    folders |= set(manifest["directories"])
files = {path: entry(path) for path in sorted(managed | folders)}
accounts, homes, left = {}, {}, []
for root in (STATE + "/accounts", "/etc/dovecot/accounts", "/etc/postfix/accounts"):
    for folder, names, found in os.walk(root):
        for name in [*names, *found]:
            accounts[os.path.join(folder, name)] = entry(os.path.join(folder, name))
for path in glob.glob("/var/mail/provision/*/*"):
    homes[path] = entry(path)
archived = {name.partition("-")[2] for name in os.listdir("/var/mail/provision/.archive")} \
    if os.path.isdir("/var/mail/provision/.archive") else set()
current = STATE + "/current/manifest.json"
manifest = json.load(open(current)) if os.path.exists(current) else {}
number = manifest.pop("generation", 0)
where = {os.path.dirname(path) for path in managed} | {STATE, "/usr/sbin", "/etc/systemd/system"}
where |= {os.path.dirname(path) for path in accounts} | {"/var/mail/provision/.archive"}
for folder in sorted(where):
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if name.startswith(".provision-") or name.startswith(".") and name.endswith(".new"):
            left.append(os.path.join(folder, name))
for name in ("journal.json", "pending.json", "unconfirmed.json", "accounts/intent.json",
        "accounts/transition.json"):
    if os.path.lexists(f"{STATE}/{name}"):
        left.append(f"{STATE}/{name}")
left += glob.glob("/etc/systemd/system/*.d/provision-first.conf")
links = {}
for folder, names, found in os.walk("/etc/systemd/system"):
    for name in [*names, *found]:
        path = os.path.join(folder, name)
        links.update({path: os.readlink(path)} if os.path.islink(path) else {})
rules = subprocess.run(["sh", "-c", "nft --stateless list tables; nft --stateless list table inet"
    " provision"], capture_output=True, text=True).stdout
status = open("/var/lib/dpkg/status").read().split("\n\n")
packages = {block.split("\n", 1)[0]: re.findall("^Status: .*", block, re.M) for block in status}
for name in pwd.getpwall(), grp.getgrall():
    packages.update({f"user or group {entry[0]}": True for entry in name})
for name in left:
    accounts.pop(name, None)
accounts.pop(STATE + "/accounts/.lock", None)
print(json.dumps({"files": files, "manifest": manifest, "accounts": accounts, "homes": homes,
    "archived": sorted(archived), "left": left, "generation": number, "links": links,
    "rules": {"rules of nft": rules}, "packages": packages}))
"""
ON_THE_WAY = ("journal.json", "unconfirmed.json", "intent.json", "transition.json")
"""What must not be there once a host has ended an apply by itself."""


@dataclass(frozen=True)
class Look:
    """One look at a host."""

    values: dict[str, Any]
    generation: int
    left: tuple[str, ...]
    """Traces of work that did not end."""

    def differences(self, other: Look, *, in_all: bool = False) -> list[str]:
        """Where two hosts differ; empty when they are the same, byte by byte.

        ``in_all``: also in packages and users, which come first and leave last, each by itself.
        """
        found = []
        kinds = ("files", "accounts", "homes", "manifest", "links", "rules")
        for kind in (*kinds, "packages") if in_all else kinds:
            mine, theirs = self.values[kind], other.values[kind]
            found += [k for k in sorted({*mine, *theirs}) if mine.get(k) != theirs.get(k)]
        return found

    def unfinished(self) -> list[str]:
        """Traces that say that something is still half way."""
        return [path for path in self.left if path.endswith(ON_THE_WAY)]


def look(lab: Lab, *, every_hash_is_new: bool = False) -> Look:
    """Look at the mail host, on its console.

    ``every_hash_is_new``: two first applies are compared, each of which makes every hash.
    """
    script = _ON_HOST.replace("MASK_ALL", str(every_hash_is_new))
    values = json.loads(lab.run(HOST, ["python3", "-I", "-c", script]).stdout)
    return Look(values, values.pop("generation"), tuple(values.pop("left")))
