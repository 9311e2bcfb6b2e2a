"""What an error that ends a command means to its caller: the exit code."""

from __future__ import annotations

import click

from provision.errors import ExitCode, ProvisionError


def code_of(error: BaseException) -> int:
    """One of the contract's codes, for any error."""
    if isinstance(error, click.UsageError):
        return ExitCode.USAGE
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(error, ProvisionError):
        return error.exit_code
    return ExitCode.FAILED
