"""A change of access on a host in a folder, as far as its proof or its confirmation."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.provision_durable import write_json
from ansible.module_utils.provision_generation import current_manifest, stage
from ansible.module_utils.provision_journal import switch
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_records import describe
from ansible.module_utils.provision_unconfirmed import (
    boottime,
    read_unconfirmed,
    start_watch,
    wait_for_confirmation,
)

from tests.unit.playbooks.small_host import HOLDER, NEW, OLD, asking, bring

RUN = "0badcafe"
PROGRAMS = ("gpasswd", "systemctl", "systemd-run")


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This machine's systemd is left alone: its programs are here, and write down what is asked."""
    folder = tmp_path / "programs"
    folder.mkdir()
    asked = tmp_path / "asked"
    for name in PROGRAMS:
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {asked}\ntest ! -e {folder}/broken\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    monkeypatch.setattr("ansible.module_utils.provision_commands._ENVIRONMENT", environment)
    return asked


def request_of(layout: Layout, seconds: int = 60) -> Any:
    accounts = {"sites": {}, "removed": [], "mend": False, "expected": {}}
    meta = {"holder": {**HOLDER, "id": RUN}, "plan": "digest"}
    number = current_manifest(layout)["generation"]
    values = {"accounts": accounts, "meta": meta, "confirm_seconds": seconds}
    return asking(NEW, number, **values)


def armed(layout: Layout, seconds: int = 60) -> int:
    """The old files, then a watch and the new ones; not proved yet."""
    bring(layout, OLD)
    script = layout.root / "etc/provision/recover.py"
    script.parent.mkdir()
    script.write_text("# knows --watch")
    request, number = request_of(layout, seconds), 2
    stage(layout, number, request)
    describe(layout, number, request)
    start_watch(layout, number, request)
    switch(layout, number, request)
    script.unlink()
    script.parent.rmdir()
    return number


def waiting(layout: Layout, seconds: int = 60) -> int:
    number = armed(layout, seconds)
    wait_for_confirmation(layout, {"steps": [], "replaced": ["/etc/a.conf"]})
    return number


def run_out(layout: Layout) -> None:
    state = read_unconfirmed(layout)
    write_json(layout.unconfirmed, {**state, "deadline": boottime() - 1})


def audited(layout: Layout) -> list[str]:
    return [json.loads(line)["outcome"] for line in layout.audit.read_text().splitlines()]
