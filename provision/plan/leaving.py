"""Compare what is no file and no account: units, packages, users and directories that leave."""

from __future__ import annotations

from collections.abc import Iterator

from provision.plan.change import Action, Change, Kind
from provision.plan.state import HostState


def diff_leaving(actual: HostState) -> Iterator[Change]:
    """What earlier applies brought and the spec has no more; what must stay is no change."""
    leaving = actual.leaving
    for name in leaving.units:
        state = actual.units.get(name)
        if state is not None and (state.is_running or state.is_enabled):
            yield Change(Kind.UNIT, name, Action.DELETE, "stop, disable")
    for name, reasons in leaving.packages.items():
        if not reasons:
            yield Change(Kind.PACKAGE, name, Action.DELETE, "its data stays")
    for name in leaving.users:
        yield Change(Kind.USER, name, Action.DELETE, "unless something on the host is its own")
    for path in leaving.directories:
        yield Change(Kind.DIRECTORY, path, Action.DELETE)


def stays(actual: HostState) -> tuple[str, ...]:
    """What left the spec and cannot leave the host, each with the reason."""
    return tuple(
        f"package {name} stays: {', '.join(reasons)}"
        for name, reasons in sorted(actual.leaving.packages.items())
        if reasons
    )
