"""Accounts: what the spec asks for is what both daemons look up."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any
