"""A secret shows itself only when asked."""

from __future__ import annotations

import dataclasses
import traceback

import pytest

from provision.model.address import Domain
from provision.model.fleet import GivenPassword, Smarthost, TlsPolicy
from provision.model.secret import MASK, Secret

CANARY = "canary-41c7"


def test_secret_masks_itself_in_every_text() -> None:
    secret = Secret(CANARY)
    smarthost = Smarthost("isp", Domain("smtp.isp.example"), 587, TlsPolicy.VERIFY, "me", secret)
    texts = [str(secret), repr(secret), f"{secret:>20}", f"{secret!r}", repr(smarthost)]
    texts += [str(GivenPassword(secret)), str(dataclasses.replace(smarthost, port=25))]
    assert all(CANARY not in text for text in texts)
    assert MASK in str(secret)
    assert secret.reveal() == CANARY


def test_secret_stays_masked_in_a_traceback() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _fail_with(Secret(CANARY))
    shown = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert CANARY not in shown


def _fail_with(secret: Secret) -> float:
    return len(str(secret)) / 0
