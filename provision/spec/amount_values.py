"""Sizes and durations as a spec writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from provision.model.amounts import Duration, Size
from provision.spec.values import hinted, plain_text
from provision.spec.wrong import WrongError

_SIZES = "as in 500M, 2G, a number of bytes, or none"
_DURATIONS = "as in 30d, 12h or 2w"


@dataclass(frozen=True, slots=True)
class Quota:
    """A mailbox's limit; None: no limit."""

    size: Size | None


def parse_quota(value: Any) -> Quota:
    """``2G``, a number of bytes, or ``none``."""
    if value == "none":
        return Quota(None)
    text = str(value) if type(value) is int else plain_text(value)
    if not text.isascii() or text != text.strip():
        raise WrongError("a size is a whole number with K, M, G or T", hint=_SIZES)
    return Quota(hinted(Size.parse, text, _SIZES))


def parse_duration(value: Any) -> Duration:
    """``30d``, ``12h``, ``2w``."""
    text = plain_text(value)
    if not text.isascii() or text != text.strip():
        raise WrongError("a duration is a whole number with s, m, h, d or w", hint=_DURATIONS)
    return hinted(Duration.parse, text, _DURATIONS)


QuotaValue = Annotated[
    Quota,
    PlainValidator(parse_quota),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "pattern": "^(?:[0-9]{1,12}[KMGT]?|none)$"},
                {"type": "integer", "minimum": 1},
            ]
        }
    ),
]
DurationValue = Annotated[
    Duration,
    PlainValidator(parse_duration),
    WithJsonSchema(
        {"type": "string", "description": "A duration.", "pattern": "^[0-9]{1,9}[smhdw]$"}
    ),
]
