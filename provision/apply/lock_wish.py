"""What a command asks of the locks of its hosts: light, for options are read before all else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command asks of the locks."""

    command: str
    """What it does, as the lock shall say: apply, rollback, restore, purge."""
    wait: int = 0
    """Seconds to wait for another apply; a person's hold is never waited for."""
    during_my_hold: bool = False
    """Go on where the hold is by the same person on the same machine."""
