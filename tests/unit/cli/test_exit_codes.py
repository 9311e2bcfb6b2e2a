"""Exit codes by real runs of the program. Those that need machines are held in tests/lab:

2 and 4 (test_apply, test_verify_faults), 7, 8 and 130 of an apply (test_fleet).
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest

from provision.apply.plan_file import bind, write_plan_file
from provision.assets import demo_fleet_dir
from provision.cli.main import COMMANDS, provision
from provision.errors import ExitCode
from provision.plan.change import HostPlan, Plan

PROVISION = [sys.executable, "-c", "from provision.cli.main import main; main()"]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    folder = tmp_path / "fleet"
    shutil.copytree(demo_fleet_dir(), folder, ignore=shutil.ignore_patterns(".provision"))
    return folder


def _at(fleet: Path, port: int) -> None:
    """Say that mail1 listens on this port of loopback."""
    spec = fleet / "fleet.yml"
    here = f"address: 127.0.0.1\n    ssh: {{port: {port}}}"
    spec.write_text(spec.read_text().replace("address: 198.18.0.11", here))


def _code(*words: str | Path) -> int:
    argv = [*PROVISION, *map(str, words)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=120, check=False).returncode


def test_0_done(fleet: Path) -> None:
    assert _code("check", "-i", fleet) == ExitCode.DONE


def test_1_failed_for_another_reason(fleet: Path) -> None:
    assert _code("lab", "cut", "mail1", "-i", fleet) == ExitCode.FAILED


def test_3_spec_invalid(fleet: Path) -> None:
    (fleet / "sites/more.yml").write_text("sight: more.example\n")
    for command in ("check", "plan", "apply", "drift", "verify"):
        assert _code(command, "-i", fleet) == ExitCode.SPEC_INVALID, command


def test_5_a_host_cannot_be_reached(fleet: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    _at(fleet, port)
    assert _code("plan", "-i", fleet) == ExitCode.UNREACHABLE


def test_5_also_where_the_lab_is_of_another_version(fleet: Path) -> None:
    (fleet / ".provision").mkdir()
    (fleet / ".provision/connection.json").write_text('{"version": 0}')
    for words in (["inventory", "--list"], ["status"]):
        assert _code(*words, "-i", fleet) == ExitCode.UNREACHABLE, words


def test_6_refused_when_the_fleet_has_moved_on(fleet: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.plan"
    write_plan_file(bind(Plan((HostPlan("mail1", 3),)), fleet, ()), saved)
    (fleet / "sites/more.yml").write_text("site: more.example\nhost: mail1\n")
    assert _code("apply", saved, "-i", fleet) == ExitCode.REFUSED


@pytest.mark.parametrize(
    "words",
    [
        "no-such-command",
        "plan --no-such-option",
        "apply --batch 0",
        "apply --canary mail1 --no-canary",
        "apply --events fd:999",
        "plan --host mail9",
        "schema nothing",
    ],
)
def test_64_wrong_usage(words: str, fleet: Path) -> None:
    place: list[str | Path] = [] if words.startswith(("no-", "schema")) else ["-i", fleet]
    assert _code(*words.split(), *place) == ExitCode.USAGE


def test_130_interrupted_and_told(fleet: Path, tmp_path: Path) -> None:
    events = tmp_path / "events"
    with socket.create_server(("127.0.0.1", 0)) as door:
        _at(fleet, door.getsockname()[1])
        argv = [*PROVISION, "plan", "-i", str(fleet), "--events", str(events)]
        with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE) as process:
            connection, _ = door.accept()  # it waits for a greeting now
            process.send_signal(signal.SIGINT)
            connection.close()
            _, said = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert b"Interrupted." in said
    assert json.loads(events.read_text().splitlines()[-1])["exit_code"] == ExitCode.INTERRUPTED


def _table() -> dict[str, set[int]]:
    """Command to the codes that it can end with, as the page of contracts has it."""
    page = (ROOT / "docs/reference/contracts.md").read_text()
    text = page.partition("Which command can end with which:\n\n")[2].partition("\n\n")[0]
    heads, _, *rows = [[cell.strip() for cell in r.split("|")[1:-1]] for r in text.splitlines()]
    return {
        name: {int(code) for code, cell in zip(heads[1:], cells, strict=True) if cell}
        for names, *cells in rows
        for name in re.findall("`([a-z]+)`", names)
    }


def _codes_of_page(name: str) -> set[int]:
    """The codes that the page of a command lists, in a sentence or a table; none: it lists none."""
    text = (ROOT / f"docs/reference/{name}.md").read_text()
    begin = re.search(r"^(## Exit codes\n\n|Exit codes: |\| exit code .*\n)", text, re.MULTILINE)
    listed = text[begin.end() :].partition("\n\n")[0] if begin else ""
    return {int(code) for code in re.findall(r"(?:^|; |\| )(\d+) ", " ".join(listed.split()))}


def _codes_of_help(command: click.Command) -> set[int]:
    """Those that the help of a command or of its commands names."""
    commands = [command, *getattr(command, "commands", {}).values()]
    text = " ".join(" ".join((each.help or "").split()) for each in commands)
    return {int(code) for code in re.findall(r"(?:\bExit (?:code )?|; )(\d+)(?::| when)", text)}


def test_every_code_is_in_the_page_of_contracts() -> None:
    page = (ROOT / "docs/reference/contracts.md").read_text()
    for code in ExitCode:
        assert f"\n| {code.value} |" in page


def test_table_of_codes_has_every_command_and_what_its_page_and_its_help_say() -> None:
    table, context = _table(), click.Context(provision)
    assert set(table) == set(COMMANDS)
    always = {ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE, ExitCode.INTERRUPTED}
    for name, codes in table.items():
        assert always <= codes, name
        command = provision.get_command(context, name)
        assert command is not None
        assert _codes_of_help(command) <= codes, name
        if listed := _codes_of_page(name):
            assert listed | always == codes, name


@pytest.mark.parametrize(
    ("name", "codes"),
    [("apply", {0, 1, 3, 5, 6, 7, 8, 130}), ("trust", {0, 3, 5, 6}), ("check", {0, 3, 64})],
)
def test_codes_are_read_from_pages_of_every_form(name: str, codes: set[int]) -> None:
    assert _codes_of_page(name) == codes
