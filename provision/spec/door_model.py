"""What every model at the door has in common: strict, and notes to people are let pass."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from provision.spec.values import Empty

_EMPTY = Empty()


class DoorModel(BaseModel):
    """Strict: no conversions, no unknown keys. Keys that start with ``x-`` are notes to people."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_notes_out(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        if None not in data.values() and "x-" not in " ".join(data):
            return data  # nothing to leave out: the usual case, a hundred thousand times
        return {
            key: _EMPTY if value is None else value
            for key, value in data.items()
            if not key.startswith("x-")
        }


Port = Annotated[int, Field(ge=1, le=65535)]
