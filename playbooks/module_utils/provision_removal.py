"""Take packages away again: only those that an apply brought, and never more than asked for.

Standard library only: the observer asks it too, before anything is removed. A package is removed,
not purged (apt-get(8)): a purge runs maintainer scripts that delete data. What came along with it
stays, marked as automatically installed, for ``apt autoremove`` to name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .provision_commands import Outcome, run

_STATUS = "/var/lib/dpkg/status"
_NEEDED = re.compile(
    r"^(?:Essential: yes|Protected: yes|Priority: (?:required|important))$", re.MULTILINE
)
_REMOVED = re.compile(r"^(?:Remv|Purg) ([^ :]+)", re.MULTILINE)


def what_stands_against(names: Iterable[str]) -> Mapping[str, list[str]]:
    """Each package with what speaks against removing it; nothing: it can go. Changes nothing."""
    against: dict[str, list[str]] = {name: [] for name in sorted(names)}
    for name in _needed_by_debian(against):
        against[name] = ["Debian marks it as required"]
    while going := [name for name, reasons in against.items() if not reasons]:
        failed, more = _simulated(going)
        if not failed and not more:
            break
        found = {name: _simulated([name]) for name in going}
        for name, (words, others) in found.items():
            kept = sorted(others - set(going))
            against[name] = words or [f"{other} needs it" for other in kept]
        if not any(against[name] for name in going):
            # Only together do they take more with them: then none of them goes.
            against.update(dict.fromkeys(going, failed or [f"{o} needs it" for o in sorted(more)]))
    return against


def remove_packages(names: Iterable[str]) -> list[str]:
    """Remove them and keep their data; returns what apt said when it failed."""
    done = _apt("-y", "-oDPkg::Lock::Timeout=120", "remove", *names)
    return [] if done.status == 0 else done.lines()[-6:]


def _simulated(names: list[str]) -> tuple[list[str], set[str]]:
    """What apt objects to, and the packages that would go besides these."""
    done = _apt("-s", "-oDebug::NoLocking=1", "remove", *names)
    if done.status != 0:
        return [line.removeprefix("E: ") for line in done.lines()[:1]] or ["apt refuses it"], set()
    return [], set(_REMOVED.findall(done.output)) - set(names)


def _needed_by_debian(names: Iterable[str]) -> list[str]:
    with open(_STATUS, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as the observer
        blocks = {block.partition("\n")[0]: block for block in file.read().split("\n\n")}
    return [name for name in names if _NEEDED.search(blocks.get(f"Package: {name}", ""))]


def _apt(*arguments: str) -> Outcome:
    apart = "-oAPT::Get::AutomaticRemove=false"
    return run("apt-get", apart, *arguments, seconds=900, noninteractive=True)
