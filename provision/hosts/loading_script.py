"""Runs on a host before the others that are sent along: makes modules of their texts.

Standard library only, Python 3.11 or newer.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PACKAGE = "provision_host"
"""Our modules import each other from the package that they are in."""


def load_module(name: str, source: str) -> Any:
    """Make a module of a source text; a dataclass looks its own up among the loaded ones."""
    module = sys.modules[f"{PACKAGE}.{name}"] = type(sys)(f"{PACKAGE}.{name}")
    module.__package__ = PACKAGE
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102 - our own source, sent along
    return module
