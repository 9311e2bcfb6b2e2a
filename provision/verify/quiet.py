"""What a quiet log is: lines that mean a fault of ours, told from what strangers can cause."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
