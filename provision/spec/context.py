"""What resolving needs everywhere: what a document names is read, or becomes a problem."""

from __future__ import annotations

from dataclasses import dataclass

from provision.model.address import Domain
from provision.model.certificate import CertificatePair
from provision.model.fleet import Logo
from provision.model.secret import Secret
from provision.spec.door_host import CertificateSpec
from provision.spec.node import Document, SecretRef
from provision.spec.problem import Problems
from provision.spec.secrets import Secrets
from provision.spec.source import FleetFolder
from provision.spec.vault import is_vault
from provision.spec.vault_password import VaultOpener
from provision.spec.wrong import WrongError

_MAX_PEM_BYTES = 64 * 1024
MAX_LOGO_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Context:
    """The fleet folder, its secrets, and where problems go."""

    folder: FleetFolder
    secrets: Secrets
    vault: VaultOpener
    problems: Problems

    def secret(self, ref: SecretRef, document: Document, *path: str | int) -> Secret:
        """The secret at ``path``; an empty one after a problem."""
        return self.secrets.look_up(ref, document.place(*path))

    def logo(self, file: str, document: Document, *path: str | int) -> Logo | None:
        """The logo named at ``path``; None after a problem."""
        from provision.spec.picture import parse_logo  # noqa: PLC0415 - start-up time

        place = document.place(*path)
        content = self.folder.read_bytes(file, place, limit=MAX_LOGO_BYTES)
        if content is None:
            return None
        try:
            return parse_logo(file, content)
        except WrongError as error:
            self.problems.error("logo", place, f"{file}: {error}", hint=error.hint)
            return None

    def certificate(
        self, spec: CertificateSpec | None, name: Domain, document: Document, *path: str | int
    ) -> CertificatePair | None:
        """The certificate given at ``path`` for ``name``; None when none is, or after a problem."""
        if spec is None:
            return None
        place = document.place(*path, "chain")
        chain = self.folder.read_bytes(spec.chain, place, limit=_MAX_PEM_BYTES)
        key = self._key(spec.key, document, *path, "key")
        if not chain or not key:
            return None
        from provision.spec.certificate_files import check_pair  # noqa: PLC0415 - start-up time

        try:
            return check_pair(chain, key, name)
        except WrongError as error:
            self.problems.error("certificate", place, str(error), hint=error.hint)
            return None

    def _key(self, key: str | SecretRef, document: Document, *path: str | int) -> bytes | None:
        if isinstance(key, SecretRef):
            return self.secret(key, document, *path).reveal().encode() or None
        content = self.folder.read_bytes(key, document.place(*path), limit=_MAX_PEM_BYTES)
        if content is not None and is_vault(content):
            return self.vault.open(content, file=key)
        return content
