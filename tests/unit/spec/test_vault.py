"""The vault reader agrees with the real ansible-vault, in both directions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.spec.vault import VaultError, decrypt, encrypt, is_vault

ANSIBLE_VAULT = Path(sys.executable).with_name("ansible-vault")
TEXT = "a: ünïcode\nb: |\n  two\n  lines\n" + "c: " + "x" * 1000 + "\n"


def _run(*arguments: str) -> bytes:
    done = subprocess.run([str(ANSIBLE_VAULT), *arguments], check=True, capture_output=True)
    return done.stdout


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("  correct horse\n")
    return path


@pytest.mark.parametrize("label", [(), ("--encrypt-vault-id", "prod")], ids=["1.1", "1.2"])
def test_what_ansible_vault_wrote_is_read(
    label: tuple[str, ...], tmp_path: Path, password_file: Path
) -> None:
    plain = tmp_path / "secrets.yml"
    plain.write_text(TEXT)
    identity = ["--vault-id", f"prod@{password_file}"] if label else []
    option = identity or ["--vault-password-file", str(password_file)]
    _run("encrypt", *option, *label, str(plain))
    content = plain.read_bytes()
    assert is_vault(content)
    assert content.startswith(b"$ANSIBLE_VAULT;1.2" if label else b"$ANSIBLE_VAULT;1.1")
    assert decrypt(content, b"correct horse").decode() == TEXT


def test_what_is_written_here_ansible_vault_reads(tmp_path: Path, password_file: Path) -> None:
    path = tmp_path / "secrets.yml"
    path.write_bytes(encrypt(TEXT.encode(), b"correct horse", salt=b"\x00\n" * 16))
    shown = _run("view", "--vault-password-file", str(password_file), str(path))
    assert shown.decode() == TEXT


@settings(max_examples=30, deadline=None)
@given(plain=st.binary(max_size=200), password=st.binary(min_size=1, max_size=40))
def test_what_is_encrypted_comes_back(plain: bytes, password: bytes) -> None:
    content = encrypt(plain, password, salt=b"\n" * 32)
    assert decrypt(content, password) == plain
    with pytest.raises(VaultError, match="does not open"):
        decrypt(content, password + b"x")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not an ansible-vault file"),
        (b"$ANSIBLE_VAULT;1.0;AES\n61", "version"),
        (b"$ANSIBLE_VAULT;1.1;AES\n61", "version"),
        (b"$ANSIBLE_VAULT;1.1\n61", "not an ansible-vault file"),
        (b"$ANSIBLE_VAULT;1.1;AES256\nzz", "damaged"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n6161", "damaged"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n610a610a6", "damaged"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n610a620a63", "damaged"),
    ],
)
def test_file_that_is_no_vault_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(VaultError, match=says):
        decrypt(content, b"x")


def test_damage_is_seen() -> None:
    content = encrypt(b"text", b"x", salt=b"s" * 32)
    last = content.rstrip()[-1:]
    damaged = content.rstrip()[:-1] + (b"0" if last != b"0" else b"1")
    with pytest.raises(VaultError):
        decrypt(damaged, b"x")
