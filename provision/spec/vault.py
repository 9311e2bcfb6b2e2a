"""Read and write ansible-vault files without starting Ansible, which would cost half a second.

Format: Ansible documentation, "Format of files encrypted with Ansible Vault" (1.1 and 1.2,
AES256): PBKDF2-HMAC-SHA256 with 10,000 rounds gives the cipher key, the HMAC key and the counter
start; the text is AES-256-CTR with PKCS #7 padding; the HMAC is over the cipher text.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac

HEADER = b"$ANSIBLE_VAULT;"
_ROUNDS = 10_000
_BLOCK = 16


class VaultError(ValueError):
    """The file is no vault, is damaged, or the password is another one."""


def is_vault(content: bytes) -> bool:
    """True for a file that starts as ansible-vault's files do."""
    return content.startswith(HEADER)


def decrypt(content: bytes, password: bytes) -> bytes:
    """The plain text of a vault file; raises VaultError."""
    salt, digest, cipher_text = _parts(content)
    cipher_key, hmac_key, counter = _keys(password, salt)
    if not hmac.compare_digest(digest, hmac.digest(hmac_key, cipher_text, "sha256")):
        raise VaultError("the vault password does not open it")
    return _unpad(_aes_ctr(cipher_text, key=cipher_key, counter=counter))


def encrypt(plain: bytes, password: bytes, *, salt: bytes) -> bytes:
    """A vault file (1.1); ``salt`` is 32 random bytes that the caller makes."""
    cipher_key, hmac_key, counter = _keys(password, salt)
    padding = _BLOCK - len(plain) % _BLOCK
    padded = plain + bytes([padding]) * padding
    cipher_text = _aes_ctr(padded, key=cipher_key, counter=counter)
    digest = hmac.digest(hmac_key, cipher_text, "sha256")
    inner = b"\n".join(binascii.hexlify(part) for part in (salt, digest, cipher_text))
    body = binascii.hexlify(inner)
    lines = [body[start : start + 80] for start in range(0, len(body), 80)]
    return b"\n".join([HEADER + b"1.1;AES256", *lines]) + b"\n"


def _parts(content: bytes) -> tuple[bytes, bytes, bytes]:
    header, _, body = content.partition(b"\n")
    fields = header.strip().split(b";")
    if fields[:1] != [HEADER[:-1]] or len(fields) not in (3, 4):
        raise VaultError("it is not an ansible-vault file")
    if fields[1] not in (b"1.1", b"1.2") or fields[2] != b"AES256":
        raise VaultError("it is of an ansible-vault version that is not read here")
    try:
        salt, digest, cipher_text = binascii.unhexlify(b"".join(body.split())).split(b"\n", 2)
        parts = (
            binascii.unhexlify(salt),
            binascii.unhexlify(digest),
            binascii.unhexlify(cipher_text),
        )
    except ValueError as error:
        raise VaultError("it is damaged") from error
    return parts


def _keys(password: bytes, salt: bytes) -> tuple[bytes, bytes, bytes]:
    derived = hashlib.pbkdf2_hmac("sha256", password, salt, _ROUNDS, 80)
    return derived[:32], derived[32:64], derived[64:]


def _aes_ctr(text: bytes, *, key: bytes, counter: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import (  # noqa: PLC0415 - start-up time
        Cipher,
        algorithms,
        modes,
    )

    context = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return context.update(text) + context.finalize()


def _unpad(padded: bytes) -> bytes:
    length = padded[-1] if padded else 0
    if not 1 <= length <= _BLOCK or padded[-length:] != bytes([length]) * length:
        raise VaultError("it is damaged")
    return padded[:-length]
