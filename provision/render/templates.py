"""Fill a template: strict, sandboxed, and with no value of a spec ever read as a template."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from provision.assets import templates_dir
from provision.render import escape


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates_dir()),
        undefined=StrictUndefined,
        autoescape=False,  # these are not HTML; escape.py has a filter per syntax
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(escape.FILTERS)
    return environment


def fill(template: str, **values: Any) -> bytes:
    """Render ``templates/TEMPLATE`` with ``values``; UTF-8 bytes.

    Raises jinja2.UndefinedError for a name that was not given: that is a defect of ours.
    """
    return _environment().get_template(template).render(**values).encode("utf-8")
