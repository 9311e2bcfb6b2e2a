"""secrets.yml: found, opened, looked up, and never shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provision.spec.load import Loaded, read_fleet
from provision.spec.vault import encrypt

Read = Callable[..., Loaded]
Write = Callable[..., Path]
PASSWORD = b"opens-the-vault"
CANARY = "canary-3f9c1e-tweet"
SECRETS = f"""\
fingerprint_key: "{"0123456789abcdef" * 4}"
isp: "in side #1 $x: long"
acme: {{anna: "{CANARY}"}}
"""


def secrets_file(text: str) -> bytes:
    """``text`` as the fleet's vault file."""
    return encrypt(text.encode(), PASSWORD, salt=b"s" * 32)


def _messages(loaded: Loaded) -> list[str]:
    return [problem.message for problem in loaded.problems]


def test_password_file_is_the_one_given_else_one_of_the_folder(
    write_fleet: Write, tmp_path: Path
) -> None:
    folder = write_fleet({".vault-password": b"wrong\n"})
    given = tmp_path / "given"
    given.write_bytes(PASSWORD)
    assert read_fleet(folder).fleet is None
    assert read_fleet(folder, given).fleet is not None
    inside = folder / ".provision" / "vault-password"
    inside.parent.mkdir()
    inside.write_bytes(PASSWORD + b"\n\n")
    assert read_fleet(folder).fleet is not None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"wrong", "secrets.yml: the vault password does not open it"),
        (b"", "the vault password file is empty"),
        (b"#!/bin/sh\necho x", "the vault password file is a program, not a password"),
    ],
)
def test_password_file_that_does_not_work_is_one_problem(
    content: bytes, says: str, read: Read
) -> None:
    assert _messages(read({".vault-password": content})) == [says]


def test_no_password_file_is_one_problem_with_the_way_out(write_fleet: Write) -> None:
    folder = write_fleet({})
    (folder / ".vault-password").unlink()
    (problem,) = read_fleet(folder).problems
    assert problem.message == "there is no vault password file"
    assert "PROVISION_VAULT_PASSWORD_FILE" in problem.hint
    missing = read_fleet(folder, folder / "nowhere").problems
    assert "cannot read the vault password file" in missing[0].message


def test_plain_secrets_are_refused_with_the_command_and_not_shown(read: Read) -> None:
    loaded = read({"secrets.yml": SECRETS})
    (problem,) = loaded.problems
    assert problem.message == "secrets.yml is not encrypted"
    assert "ansible-vault encrypt secrets.yml" in problem.hint


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        ("a: b\n", "the secret fingerprint_key is missing"),
        ("fingerprint_key: abc\n", "is not 64 hexadecimal digits"),
        (f"fingerprint_key: {'1' * 64}\n", "is not 64 hexadecimal digits"),
    ],
)
def test_fingerprint_key_is_required(secrets: str, says: str, read: Read) -> None:
    loaded = read({"secrets.yml": secrets_file(secrets)})
    (problem,) = [p for p in loaded.problems if p.code == "fingerprint-key"]
    assert says in problem.message
    assert "secrets.token_hex(32)" in problem.hint


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        ("- a\n", "secrets.yml is not a mapping of names"),
        ("", "the file is empty"),
        ("a: [\n", "this is not YAML"),
        ("a: b\na: c\n", "given twice"),
    ],
)
def test_secrets_that_are_not_names_and_values_are_refused_without_their_lines(
    secrets: str, says: str, read: Read
) -> None:
    loaded = read({"secrets.yml": secrets_file(secrets + "#" + CANARY)})
    found = [p for p in loaded.problems if p.place.file == "secrets.yml"]
    assert [problem for problem in found if says in problem.message]
    assert not any(loaded.quotes.quote(problem.place) for problem in found)


def test_name_with_a_slash_may_be_flat_or_nested(read: Read) -> None:
    secrets = SECRETS.replace("acme: {anna:", '"acme/anna":').replace(
        f'"{CANARY}"}}', f'"{CANARY}"'
    )
    loaded = read({"secrets.yml": secrets_file(secrets)})
    assert loaded.fleet is not None, loaded.problems


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('"trails "', "starts or ends with a space"),
        ('" leads"', "starts or ends with a space"),
        ('"tab\\tbed"', "control character"),
        ("12345", "is not text"),
        ('""', "is not text"),
        ("[a]", "is not text"),
    ],
)
def test_smarthost_password_that_postfix_would_lose_is_refused_where_it_is_named(
    value: str, says: str, read: Read
) -> None:
    secrets = SECRETS.replace('"in side #1 $x: long"', value)
    loaded = read({"secrets.yml": secrets_file(secrets)})
    assert loaded.fleet is None
    assert [p for p in loaded.problems if p.place.file == "fleet.yml" and p.place.line == 5], (
        loaded.problems
    )
    assert says in " ".join(_messages(loaded))


@pytest.mark.parametrize("value", ['"trails "', '"two\\nlines"', '"esc\\e[0m"', '"\\u202eback"'])
def test_password_that_nobody_can_type_is_refused_where_it_is_named(value: str, read: Read) -> None:
    secrets = SECRETS.replace(f'"{CANARY}"', value)
    (problem,) = read({"secrets.yml": secrets_file(secrets)}).problems
    assert str(problem.place) == "sites/acme.yml:4:20"
    assert "cannot be typed" in problem.message


def test_secrets_file_of_another_vault_version_is_refused(read: Read) -> None:
    loaded = read({"secrets.yml": b"$ANSIBLE_VAULT;1.0;AES\n6161\n"})
    assert "version that is not read here" in loaded.problems[0].message


def test_tags_of_ansible_inside_of_secrets_are_refused(read: Read) -> None:
    secrets = SECRETS + "x: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n"
    loaded = read({"secrets.yml": secrets_file(secrets)})
    assert any("a tag like this" in message for message in _messages(loaded))


def test_key_of_a_certificate_may_be_a_vault_file(read: Read, fleet_yml: str) -> None:
    fleet = fleet_yml.replace(
        "release: debian13}", "release: debian13, certificate: {chain: c.pem, key: k.pem}}"
    )
    key = encrypt(b"not a key", PASSWORD, salt=b"t" * 32)
    loaded = read({"fleet.yml": fleet, "c.pem": "no chain", "k.pem": key})
    assert _messages(loaded) == ["the chain holds no PEM certificate"]
