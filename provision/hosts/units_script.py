"""Runs on a host with the observer: what systemd says about units, asked while others look.

Standard library only, Python 3.11 or newer.
"""

# ruff: noqa: PTH123 - pathlib costs more to import than all of the looking

from __future__ import annotations

import os

UNIT_FIELDS = {
    "LoadState": "load",
    "ActiveState": "active",
    "SubState": "sub",
    "UnitFileState": "enabled",
}


class Units:
    """Asks systemd about units while the rest is looked at."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        if not names:
            return
        self.reader, writer = os.pipe()
        properties = ",".join(["Id", *UNIT_FIELDS])
        os.posix_spawnp(
            "systemctl",
            ["systemctl", "show", "--property", properties, "--", *names],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)],
        )
        os.close(writer)

    def answer(self) -> dict[str, dict[str, str]]:
        """What it said, by unit."""
        if not self.names:
            return {}
        with open(self.reader, encoding="utf-8") as pipe:
            blocks = pipe.read().strip("\n").split("\n\n")
        os.wait()
        return dict(zip(self.names, map(_unit, blocks), strict=True))


def _unit(block: str) -> dict[str, str]:
    values = dict(line.split("=", 1) for line in block.splitlines())
    return {field: values.get(key, "") for key, field in UNIT_FIELDS.items()}
