"""SSH keys of a lab: one that logs in, and a host key for every machine, known beforehand."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def ensure_key(private: Path) -> str:
    """Make an Ed25519 key pair at ``private`` and ``private``.pub unless it is there.

    Returns the public key in OpenSSH's one-line format, without a newline.
    """
    public = private.with_name(f"{private.name}.pub")
    if not public.exists():
        key = Ed25519PrivateKey.generate()
        private.parent.mkdir(parents=True, exist_ok=True)
        private.unlink(missing_ok=True)
        private.touch(mode=0o600)
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.OpenSSH,
                serialization.NoEncryption(),
            )
        )
        line = key.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        public.write_bytes(line + b"\n")
    return public.read_text().strip()
