"""Every side effect of an apply passes here first, so that a rehearsal can stop before any of them.

Standard library only, and next to none of it: the observer carries this module, too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Steps:
    """What is called before each side effect, with its name; nothing happens by default."""

    before: Callable[[str], None] = staticmethod(lambda _name: None)
