from __future__ import annotations

import importlib
import inspect
import pkgutil

import provision.verify.probes as package
from provision.verify.catalogue import catalogue
from provision.verify.probes import catalogue as probes
from provision.verify.probes.names import Names
from provision.verify.probes.relay import relay_forms


def test_every_probe_that_is_written_is_in_the_catalogue() -> None:
    written = set()
    for module in pkgutil.iter_modules(package.__path__):
        for function in vars(importlib.import_module(f"{package.__name__}.{module.name}")).values():
            if not inspect.isfunction(function) or function.__name__.startswith("_"):
                continue
            takes = [one.annotation for one in inspect.signature(function).parameters.values()]
            if takes in (["Line"], ["HostPlace"]):
                written.add(function)
    assert written == set(probes.ALL)


def test_every_check_and_probe_has_a_sentence_of_its_own() -> None:
    entries = catalogue()
    assert len(entries) > 60
    assert len({entry.name for entry in entries}) == len(entries)
    assert len({entry.promise for entry in entries}) == len(entries)
    assert not [entry for entry in entries if "{" in entry.promise or "_" in entry.promise]


def test_open_relay_is_tried_in_sixteen_different_forms() -> None:
    forms = relay_forms("198.18.0.11", "blue.example")
    assert len(set(forms)) == 16
    assert all("example.net" in form for form in forms)


def test_names_are_asked_once_and_unknown_ones_have_no_address() -> None:
    names = Names()
    assert "127.0.0.1" in names.addresses("localhost")
    assert names.addresses("no-such-host.invalid") == ()
