"""What reading a changed fleet tells: its errors with their lines, its warnings by code."""

from __future__ import annotations

from provision.spec.load import Loaded
from provision.spec.problem import Severity

HOSTS = "fleet: test\nhosts:\n  mail1: {address: 192.0.2.10, fqdn: mail1.host.example, release: debian13}\n"  # noqa: E501 - one line of YAML


def errors(loaded: Loaded) -> list[str]:
    return [
        f"{problem.place.file}:{problem.place.line} {problem.message}"
        for problem in loaded.problems
        if problem.severity is Severity.ERROR
    ]


def warnings(loaded: Loaded) -> list[str]:
    assert loaded.fleet is not None, loaded.problems
    return [problem.code for problem in loaded.problems]
