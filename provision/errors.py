"""The errors a person can meet, and the exit codes that are a contract.

ProvisionError                  exit 1   anything we can explain
+-- SpecInvalid                 exit 3   your files are wrong (carries every problem at once)
+-- VerifyFailed                exit 4   a probe or a check found a fault
+-- HostUnreachable             exit 5   we could not reach it
+-- Refused                     exit 6   unsafe or stale plan, or a lock held by another
+-- RolledBack                  exit 7   it answered and failed; the old generation is back
+-- NeedsPerson                 exit 8   a host needs a person
+-- UsageWrong                  exit 64  the words on the command line are off
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """What the process says to its caller; the same for every command (docs/reference)."""

    DONE = 0
    FAILED = 1
    CHANGES = 2
    SPEC_INVALID = 3
    VERIFY_FAULT = 4
    UNREACHABLE = 5
    REFUSED = 6
    ROLLED_BACK = 7
    NEEDS_PERSON = 8
    USAGE = 64
    INTERRUPTED = 130


class ProvisionError(Exception):
    """An error with a next step: ``message`` says what and where, ``hint`` what to do about it."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SpecInvalid(ProvisionError):
    """The fleet folder is wrong; the problems have been collected, not only the first."""

    exit_code = ExitCode.SPEC_INVALID

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        problems: Sequence[object] = (),
        told: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.told = tuple(told)
        """The same as JSON values, secrets masked."""
        self.problems = tuple(problems)
        """Values of provision.spec.problem.Problem, sorted by place."""


class VerifyFailed(ProvisionError):
    """A host does not do what its spec promises."""

    exit_code = ExitCode.VERIFY_FAULT


class HostUnreachable(ProvisionError):
    """No SSH session to a host: network, host key or login."""

    exit_code = ExitCode.UNREACHABLE


class Refused(ProvisionError):
    """Nothing was done: the plan is unsafe or stale, or another holds the lock."""

    exit_code = ExitCode.REFUSED


class RolledBack(ProvisionError):
    """An apply failed and the host is back on its old generation."""

    exit_code = ExitCode.ROLLED_BACK


class NeedsPerson(ProvisionError):
    """A host is in a state that we will not repair by ourselves."""

    exit_code = ExitCode.NEEDS_PERSON


class UsageWrong(ProvisionError):
    """The command line asks for something that does not exist."""

    exit_code = ExitCode.USAGE
