"""The error tree and the exit codes are a contract, drawn in the module's docstring."""

from __future__ import annotations

import re

from provision import errors
from provision.errors import ExitCode, ProvisionError


def _drawn() -> dict[str, int]:
    lines = re.findall(r"^(?:\+-- )?(\w+)\s+exit (\d+)", errors.__doc__ or "", re.MULTILINE)
    return {name: int(code) for name, code in lines}


def test_docstring_draws_the_tree_as_it_is() -> None:
    tree: set[type[ProvisionError]] = {ProvisionError, *ProvisionError.__subclasses__()}
    assert {cls.__name__: int(cls.exit_code) for cls in tree} == _drawn()


def test_exit_codes_are_those_of_the_contract() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "CHANGES": 2,
        "SPEC_INVALID": 3,
        "VERIFY_FAULT": 4,
        "UNREACHABLE": 5,
        "REFUSED": 6,
        "ROLLED_BACK": 7,
        "NEEDS_PERSON": 8,
        "USAGE": 64,
        "INTERRUPTED": 130,
    }
