"""Run the checks that ship with the package, by pytest, cut off from the user's own pytest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from provision.errors import ProvisionError
from provision.verify.check_plugin import CheckPlugin

CHECKS = (
    "host",
    "packages",
    "units",
    "processes",
    "ports",
    "sockets",
    "firewall",
    "files",
    "certificates",
    "postfix",
    "queue",
    "dovecot",
    "accounts",
    "routes",
    "webmail",
    "logs",
)
"""Modules in ``checks/`` in the order in which they run; logs is the last."""

_FOLDER = Path(__file__).parent / "checks"
_OUR_OWN_ONLY = (
    "-c", os.devnull,
    f"--rootdir={_FOLDER}",
    f"--confcutdir={_FOLDER}",
    "--noconftest",
    "--import-mode=importlib",
    "--assert=plain",
    "--capture=no",
    "-p", "no:cacheprovider",
    "-p", "no:terminal",
    "-p", "no:logging",
    "-p", "no:warnings",
    "-p", "no:faulthandler",
)  # fmt: skip
"""Nothing of a pytest.ini, a conftest.py or a cache on this machine takes part."""

_ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}


def run_checks(plugin: CheckPlugin) -> None:
    """Run every check for the plugin's targets; outcomes are left in the plugin.

    Raises ProvisionError when the checks themselves cannot run, KeyboardInterrupt when stopped.
    """
    files = [str(_FOLDER / f"test_{name}.py") for name in CHECKS]
    with _environment():
        status = pytest.main([*_OUR_OWN_ONLY, *files], plugins=[plugin])
    if status == pytest.ExitCode.INTERRUPTED and not plugin.defects:
        raise KeyboardInterrupt
    if plugin.defects or status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise ProvisionError(
            f"the checks could not run (pytest status {int(status)})"
            + "".join(f"\n{defect}" for defect in plugin.defects),
            hint="Please report this as a defect of provision.",
        )


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
