"""Where the fleet-local CA and its certificates lie: a private folder, written durably."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.errors import ProvisionError
from provision.model.address import Domain
from provision.model.certificate import CertificatePair
from provision.model.secret import Secret

_END_OF_KEY = "-----END PRIVATE KEY-----\n"


class CertificateStore:
    """``ca.key``, ``ca.crt`` and ``issued/NAME.pem`` (key, then certificate) in one folder.

    Every method raises ProvisionError when the folder cannot be used as it should be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._issued = folder / "issued"
        self._key = folder / "ca.key"
        self._certificate = folder / "ca.crt"

    @property
    def folder(self) -> Path:
        """The folder itself, for messages."""
        return self._folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from writing meanwhile; makes the folder when it is missing."""
        with _explained(self._folder):
            for folder in (self._folder.parent, self._folder, self._issued):
                folder.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def read_authority(self) -> CertificatePair | None:
        """The CA, or None when there is none yet.

        A key alone, with nothing issued, is what a making that was interrupted leaves behind.
        """
        chain = self._read_private(self._certificate, private=False)  # written last, read first
        key = self._read_private(self._key)
        if chain is None and (key is None or not self._has_issued()):
            return None
        if key is None or chain is None:
            missing = self._key if key is None else self._certificate
            raise ProvisionError(
                f"{missing} is missing, and its other half is there",
                hint="bring it back from a backup; or move the folder away, and a new CA is made",
            )
        return CertificatePair(chain=chain, key=Secret(key))

    def write_authority(self, pair: CertificatePair) -> None:
        """Keep a new CA; the certificate comes last and says that the CA is whole."""
        self._write(self._key, pair.key.reveal(), 0o600)
        self._write(self._certificate, pair.chain, 0o644)

    def read_issued(self, name: Domain) -> CertificatePair | None:
        """The certificate kept for ``name``, or None."""
        text = self._read_private(self._issued / f"{name}.pem")
        if text is None:
            return None
        key, end, chain = text.partition(_END_OF_KEY)
        return CertificatePair(chain=chain, key=Secret(key + end))

    def write_issued(self, name: Domain, pair: CertificatePair) -> None:
        """Keep a certificate and its key in one file, so that they cannot come apart."""
        self._write(self._issued / f"{name}.pem", pair.key.reveal() + pair.chain, 0o600)

    def _has_issued(self) -> bool:
        return any(self._issued.glob("*.pem"))

    def _read_private(self, path: Path, *, private: bool = True) -> str | None:
        with _explained(path):
            try:
                file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            with open(file, encoding="utf-8", errors="replace") as stream:  # noqa: PTH123 - a descriptor
                if private:
                    _require_private(path, os.fstat(file).st_mode)
                return stream.read()

    def _write(self, path: Path, text: str, mode: int) -> None:
        """Beside, fsync, rename, fsync of the folder: whole or not at all, also at a power cut."""
        with _explained(path):
            beside = path.with_name(path.name + ".new")
            beside.unlink(missing_ok=True)
            file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            with open(file, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(path)
            _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_private(path: Path, mode: int) -> None:
    if stat.S_IMODE(mode) & 0o077:
        raise ProvisionError(
            f"{path} can be read by others on this machine (mode {stat.S_IMODE(mode):04o})",
            hint=f"chmod go= {path}; and if others were there: move the folder away, apply anew",
        )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ProvisionError(
            f"the fleet's certificates cannot be kept: {path}: {error.strerror}",
            hint="the fleet folder's .provision belongs to whoever runs the tool, mode 0700",
        ) from error
