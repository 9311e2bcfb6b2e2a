"""paramiko without its dependency invoke, which is a third of its start-up time.

It imports invoke for ``Match exec`` in an ssh_config(5), which we never read; without it paramiko
says so only where such a line is met. A plan of nothing is measured against one bare ssh.
"""

from __future__ import annotations

import sys
from typing import Any

_modules: dict[str, Any] = sys.modules
_kept = _modules.get("invoke")
_modules["invoke"] = None  # the import system's way to say: there is none
import paramiko  # noqa: E402 - between hiding and showing

if _kept is None:
    del _modules["invoke"]
else:
    _modules["invoke"] = _kept

__all__ = ["paramiko"]
