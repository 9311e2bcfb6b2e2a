"""Every check and probe that ships with the package, for people who want to know what is tried."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType

from provision.verify.check_plugin import SUBJECTS, check_name, check_promise
from provision.verify.checking import CHECKS
from provision.verify.probes.catalogue import ALL, probe_name, probe_promise

_SHOWN = {subject: subject.upper() for subject in SUBJECTS} | {"smarthost_site": "SITE"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One check or probe: its identifier and its sentence."""

    name: str
    promise: str


def catalogue() -> tuple[Entry, ...]:
    """Checks on a host first, then probes over the wire, in the order in which they run."""
    return (*_checks(), *_probes())


def _checks() -> Iterator[Entry]:
    for module in CHECKS:
        for function in _tests(importlib.import_module(f"provision.verify.checks.test_{module}")):
            yield Entry(check_name(function), check_promise(function).format(**_SHOWN))


def _tests(module: ModuleType) -> Iterator[Callable[..., None]]:
    for name, function in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(function):
            yield function


def _probes() -> Iterator[Entry]:
    for probe in ALL:
        yield Entry(probe_name(probe), probe_promise(probe).format(**_SHOWN))
