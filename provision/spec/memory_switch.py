"""One switch for everything that is remembered between runs, of the folder and of its hosts."""

from __future__ import annotations

import os

OFF = "PROVISION_NO_CACHE"
"""Environment variable: with any value but the empty one, nothing is remembered or recalled."""


def is_off() -> bool:
    """Whether a person wants everything to be read again, here and on the hosts."""
    return bool(os.environ.get(OFF))
