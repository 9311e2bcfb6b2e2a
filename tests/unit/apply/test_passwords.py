"""Only the passwords that a host does not hold are hashed, and generated ones never replace."""

from __future__ import annotations

import argon2
import pytest

from provision.apply.passwords import generate_password, hash_password, is_needed
from provision.model.accounts import GENERATED
from provision.model.secret import Secret
from tests.unit.plan.estate import mailbox


@pytest.mark.parametrize(
    ("fingerprint", "held", "needed"),
    [
        ("hmac:1", None, True),
        ("hmac:1", "hmac:1", False),
        ("hmac:1", "hmac:2", True),
        ("hmac:1", GENERATED, True),
        (GENERATED, None, True),
        (GENERATED, GENERATED, False),
        (GENERATED, "hmac:1", False),
    ],
)
def test_password_is_made_only_where_it_is_needed(
    fingerprint: str,
    held: str | None,
    needed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert is_needed(mailbox("a@acme.example", fingerprint=fingerprint), held) is needed


def test_hash_is_argon2id_with_the_cost_of_doveadm() -> None:
    hashed = hash_password(Secret("canary")).reveal()
    assert hashed.startswith("{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$")
    assert argon2.PasswordHasher().verify(hashed.removeprefix("{ARGON2ID}"), "canary")


def test_generated_passwords_differ_and_are_typable() -> None:
    made = {generate_password().reveal() for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) == 23 and not set(one) & set("lo01 ") for one in made)
