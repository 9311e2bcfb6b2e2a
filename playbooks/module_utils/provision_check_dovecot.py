"""What is wrong with Dovecot's configuration, files it names included.

``doveconf`` refuses unknown settings and bad values; it does not look whether a certificate or a
script exists, nor compile Sieve.
"""

from __future__ import annotations

import re
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .provision_commands import run
from .provision_expiry import has_expired

_FILE = re.compile(r"^\s*(\w+_file|passwd_file_path|sieve_script_path)\s*=\s*<?(/\S+)\s*$")
_SCRIPT = re.compile(r"^sieve_script (\w+) \{[^}]*?^\s*path = (/\S+)$", re.MULTILINE)
_TARGET = re.compile(r'(redirect(?: :copy)?) "[A-Za-z0-9._=~&\'+@-]+"')
_READERS = {"dovecot": "/etc/dovecot/accounts", "vmail": "/etc/dovecot/accounts/forwards"}
"""Who must be able to read every file of which folder: the auth service, and deliveries."""


def check_dovecot() -> list[str]:
    """Everything wrong with /etc/dovecot as this process sees it; empty without Dovecot."""
    if not Path("/usr/bin/doveconf").exists():
        return []
    done = run("doveconf", "-n")
    if done.status != 0 or done.errors.strip():
        return [f"doveconf: {line}" for line in done.errors.splitlines() or ["failed, silently"]]
    return [*lint(done.output), *_accounts_are_readable(), *_sieve_compiles()]


def lint(settings: str) -> Iterator[str]:
    """Problems of what ``doveconf -n`` printed: missing files, a key that does not fit."""
    if not re.search(r"^protocols\b", settings, re.MULTILINE):
        yield "doveconf: no protocols are set: is the file empty?"
    found = (_FILE.match(line) for line in settings.splitlines())
    named = [(match[1], match[2]) for match in found if match]
    named += [(f"sieve_script {name}", path) for name, path in _SCRIPT.findall(settings)]
    for name, path in named:
        if "%" not in path and not Path(path).is_file():
            yield f"dovecot: {name}: there is no file {path}"
    files = dict(named)
    certificate, key = (
        files.get(f"ssl_server_{name}") or files.get(name) for name in ("cert_file", "key_file")
    )  # doveconf prints them as a block: ssl_server { cert_file = ... }
    if certificate and key and Path(certificate).is_file() and Path(key).is_file():
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            yield f"dovecot: {key} does not fit {certificate}: {error}"
    if certificate and has_expired(certificate):
        yield f"dovecot: the certificate in {certificate} has expired"


def _accounts_are_readable() -> Iterator[str]:
    """A users file that Dovecot may not read fails every login, and Postfix then answers 535."""
    for user, folder in _READERS.items():
        if not Path(folder).is_dir():
            continue
        become = (
            "env",
            "--chdir=/",
            "setpriv",
            f"--reuid={user}",
            f"--regid={user}",
            "--init-groups",
        )
        find = ("find", folder, "-maxdepth", "1", "-type", "f", "!", "-readable", "-print")
        done = run(*become, *find)
        yield from (f"dovecot: {user} cannot read {line}" for line in done.lines())


def _sieve_compiles() -> Iterator[str]:
    """What sievec(1) says of one script of each shape: thousands differ in an address alone."""
    if not Path("/usr/bin/sievec").exists():
        return
    shapes: dict[str, Path] = {}
    for script in sorted(Path("/etc/dovecot").rglob("*.sieve")):
        shapes.setdefault(_shape(script.read_text("utf-8", "replace")), script)
    with tempfile.TemporaryDirectory(dir="/run/provision") as folder:
        for script in shapes.values():
            done = run("sievec", str(script), f"{folder}/compiled")
            if done.status != 0:
                yield from (f"sievec: {line}" for line in done.lines())


def _shape(script: str) -> str:
    """The script without the addresses that it passes mail on to."""
    return _TARGET.sub(r"\1", script)
