"""The secrets of a fleet: secrets.yml, decrypted in memory, each value by its name."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable
from typing import Any

from provision.model.secret import Secret
from provision.spec.characters import shown
from provision.spec.compose import compose
from provision.spec.node import Document, SecretRef
from provision.spec.problem import Place, Problems
from provision.spec.source import FleetFolder, decode
from provision.spec.vault import is_vault
from provision.spec.vault_password import VaultOpener

SECRETS_FILE = "secrets.yml"
FINGERPRINT_KEY = "fingerprint_key"
_FINGERPRINT_KEY = re.compile(r"[0-9a-f]{64}")
_LARGEST = 16 * 1024**2
_MAKE_KEY = (
    "add a line made with: python3 -c \"import secrets; print('fingerprint_key:',"
    ' repr(secrets.token_hex(32)))"'
)


class Secrets:
    """Looks secrets up; remembers which were used. ``values`` is None when none could be read."""

    def __init__(self, values: dict[str, Any] | None, problems: Problems) -> None:
        self._values = values
        self._problems = problems
        self._used: set[str] = set()

    def of_one_site(self, problems: Problems) -> Secrets:
        """The same values with a memory of their own of what was used and what was wrong."""
        return Secrets(self._values, problems)

    @property
    def used(self) -> frozenset[str]:
        """Names of the secrets that were asked for."""
        return frozenset(self._used)

    def also_used(self, names: Iterable[str]) -> None:
        """Note secrets that were asked for elsewhere."""
        self._used.update(names)

    def digest(self, names: Iterable[str], key: Secret) -> str:
        """By what these secrets are known to be the same later, without a way back (HMAC)."""
        values = [[name, repr(self._find(name))] for name in sorted(names)]
        return hmac.new(key.reveal().encode(), json.dumps(values).encode(), "sha256").hexdigest()

    def look_up(self, ref: SecretRef, place: Place) -> Secret:
        """The secret of that name; an empty one after reporting that there is none."""
        if self._values is None:
            return Secret("")
        found = None if ref.name == FINGERPRINT_KEY else self._find(ref.name)
        if found is None:
            self._problems.error(
                "secret-missing", place, f"{SECRETS_FILE} has no secret {shown(ref.name)}",
                hint=f"add it with: ansible-vault edit {SECRETS_FILE}",
            )  # fmt: skip
            return Secret("")
        if not isinstance(found, str) or not found:
            self._problems.error(
                "secret-text", place, f"the secret {shown(ref.name)} is not text",
                hint=f"put its value in quotes: ansible-vault edit {SECRETS_FILE}",
            )  # fmt: skip
            return Secret("")
        self._used.add(ref.name)
        return Secret(found)

    def _find(self, name: str) -> Any:
        """``a/b`` is the key ``a/b`` at the top, or ``b`` inside of ``a``."""
        found: Any = self._values
        if isinstance(found, dict) and name in found:
            return found[name]
        for piece in name.split("/"):
            if not isinstance(found, dict) or piece not in found:
                return None
            found = found[piece]
        return found

    def fingerprint_key(self) -> Secret:
        """The key of password fingerprints: 64 hexadecimal digits."""
        if self._values is None:
            return Secret("")
        self._used.add(FINGERPRINT_KEY)
        key = self._values.get(FINGERPRINT_KEY)
        if not isinstance(key, str) or not _FINGERPRINT_KEY.fullmatch(key):
            state = "is not 64 hexadecimal digits in quotes" if key else "is missing"
            self._problems.error(
                "fingerprint-key", Place(SECRETS_FILE), f"the secret {FINGERPRINT_KEY} {state}",
                hint=_MAKE_KEY,
            )  # fmt: skip
            return Secret("")
        return Secret(key)

    def unused(self) -> tuple[str, ...]:
        """Names of secrets that nothing asked for."""
        return tuple(sorted(set(self._texts()) - self._used))

    def texts(self) -> tuple[str, ...]:
        """Every secret text, for masking output."""
        return tuple(self._texts().values())

    def _texts(self) -> dict[str, str]:
        found: dict[str, str] = {}
        waiting: list[tuple[str, Any]] = list((self._values or {}).items())
        while waiting:
            name, value = waiting.pop()
            if isinstance(value, dict):
                waiting += [(f"{name}/{key}", inner) for key, inner in value.items()]
            elif isinstance(value, str):
                found[name] = value
        return found


def load_secrets(folder: FleetFolder, vault: VaultOpener, problems: Problems) -> Secrets:
    """Read and decrypt secrets.yml; every way in which that can fail becomes a problem."""
    content = _read(folder, problems)
    plain = None if content is None else vault.open(content, file=SECRETS_FILE)
    document = _document(plain, problems) if plain is not None else None
    return Secrets(document.data if document else None, problems)


def _read(folder: FleetFolder, problems: Problems) -> bytes | None:
    place = Place(SECRETS_FILE)
    if not (folder.root / SECRETS_FILE).exists():
        problems.error(
            "secrets-file", place, f"there is no {SECRETS_FILE}; {FINGERPRINT_KEY} must be in it",
            hint=f"make it with: ansible-vault create {SECRETS_FILE}, and {_MAKE_KEY}",
        )  # fmt: skip
        return None
    content = folder.read_bytes(SECRETS_FILE, place, limit=_LARGEST)
    if content is None or is_vault(content):
        return content
    problems.error(
        "secrets-file", place, f"{SECRETS_FILE} is not encrypted",
        hint=f"encrypt it with: ansible-vault encrypt {SECRETS_FILE}; if it was ever"
        " committed, change every secret in it",
    )  # fmt: skip
    return None


def _document(plain: bytes, problems: Problems) -> Document | None:
    source = decode(SECRETS_FILE, plain, problems)
    document = compose(source, problems, is_secret=True) if source else None
    if document and not isinstance(document.data, dict):
        problems.error(
            "secrets-file",
            Place(SECRETS_FILE),
            f"{SECRETS_FILE} is not a mapping of names",
            hint="lines of 'name: value'",
        )
        return None
    return document
