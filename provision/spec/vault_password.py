"""Open vault files of a fleet with the password that a file holds."""

from __future__ import annotations

from pathlib import Path

from provision.spec.problem import Place, Problems
from provision.spec.vault import VaultError, decrypt
from provision.spec.wrong import WrongError

PASSWORD_FILES = (".provision/vault-password", ".vault-password")
_HINT = (
    "name it with --vault-password-file or $PROVISION_VAULT_PASSWORD_FILE, or put it into"
    f" {PASSWORD_FILES[0]} below the fleet folder"
)


class VaultOpener:
    """Reads the password once, when the first vault file is opened."""

    def __init__(self, root: Path, password_file: Path | None, problems: Problems) -> None:
        self._root = root
        self._given = password_file
        self._problems = problems
        self._password: bytes | None = None
        self._tried = False

    def open(self, content: bytes, *, file: str) -> bytes | None:
        """The plain text of a vault file's content, or None after reporting why not."""
        if not self._tried:
            self._tried = True
            self._password = self._read_password(file)
        if self._password is None:
            return None
        try:
            return decrypt(content, self._password)
        except VaultError as error:
            self._problems.error(
                "vault", Place(file), f"{file}: {error}",
                hint=f"try: ansible-vault view {file}",
            )  # fmt: skip
            return None

    def _read_password(self, file: str) -> bytes | None:
        candidates = [self._root / name for name in PASSWORD_FILES]
        path = self._given or next((path for path in candidates if path.is_file()), None)
        try:
            return _password_in(path)
        except (OSError, WrongError) as error:
            reason = str(error)
            if isinstance(error, OSError):
                reason = f"cannot read the vault password file: {error.strerror}"
            self._problems.error("vault-password", Place(file), reason, hint=_HINT)
            return None


def _password_in(path: Path | None) -> bytes:
    if path is None:
        raise WrongError("there is no vault password file", hint=_HINT)
    password = path.read_bytes()[:65536].strip()
    if not password:
        raise WrongError("the vault password file is empty", hint=_HINT)
    if password.startswith((b"#!", b"\x7fELF")):
        raise WrongError("the vault password file is a program, not a password", hint=_HINT)
    return password
