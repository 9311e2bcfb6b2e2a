"""What of a host's plan touches access to it; pure."""

from __future__ import annotations

from collections.abc import Iterable

from provision.model.access import file_touches_access, unit_touches_access
from provision.model.bundle import SystemUser
from provision.plan.change import Change, Kind, UnitAction


def access_of(
    changes: Iterable[Change], actions: Iterable[UnitAction], users: Iterable[SystemUser] = ()
) -> tuple[str, ...]:
    """Names of the files, units and users among them that may lock everybody out, sorted."""
    powerful = {user.name for user in users if user.access}
    found = {action.unit for action in actions if unit_touches_access(action.unit)}
    for change in changes:
        is_file = change.kind is Kind.FILE and file_touches_access(change.name, ())
        is_unit = change.kind is Kind.UNIT and unit_touches_access(change.name)
        is_user = change.kind is Kind.USER and change.name in powerful
        if is_file or is_unit or is_user:
            found.add(change.name)
    return tuple(sorted(found))
