"""With several hosts the worst one decides."""

from __future__ import annotations

import pytest

from provision.apply.outcome import HostOutcome, of_error, worst
from provision.errors import ExitCode, HostUnreachable, ProvisionError


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], ExitCode.DONE),
        (["applied", "unchanged"], ExitCode.DONE),
        (["applied", "refused"], ExitCode.REFUSED),
        (["refused", "unreachable"], ExitCode.UNREACHABLE),
        (["unreachable", "failed"], ExitCode.FAILED),
        (["failed", "rolled_back"], ExitCode.ROLLED_BACK),
        (["needs_person", "rolled_back"], ExitCode.NEEDS_PERSON),
    ],
)
def test_worst_host_decides(words: list[str], code: ExitCode) -> None:
    assert worst(HostOutcome("mail1", word) for word in words) is code


def test_host_that_answered_wrongly_is_not_called_unreachable() -> None:
    assert of_error("mail1", HostUnreachable("no")).word == "unreachable"
    assert of_error("mail1", ProvisionError("odd")).word == "failed"
