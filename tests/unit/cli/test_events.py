"""A run as events: valid lines whatever happens, private, and never in the way of the run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import pytest

from provision.apply.outcome import HostOutcome
from provision.cli.events import Events
from provision.cli.main import run
from provision.cli.play_events import telling
from provision.errors import ExitCode, HostUnreachable, UsageWrong


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_first_line_is_the_version_and_the_last_one_the_exit_code(tmp_path: Path) -> None:
    events = Events.open(str(tmp_path / "run.ndjson"))
    with events.run("apply", who="ada@desk"):
        events.tell("host_result", "mail1: applied", host="mail1")
    events.end(ExitCode.DONE)
    lines = _read(tmp_path / "run.ndjson")
    assert [line["type"] for line in lines] == ["version", "run_start", "host_result", "run_end"]
    assert (lines[0]["format_version"], lines[-1]["exit_code"]) == ("1.0", 0)
    assert len({line["run_id"] for line in lines}) == 1
    assert all(line["ts"].endswith("Z") and line["message"] for line in lines)


def test_file_is_made_private_and_new_even_where_one_lay_open(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    path.write_text("of another run\n")
    path.chmod(0o644)
    Events.open(str(path)).tell("version", "provision")
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(_read(path)) == 1


def test_events_go_to_an_inherited_descriptor() -> None:
    reader, writer = os.pipe()
    Events.open(f"fd:{writer}").tell("version", "provision")
    assert json.loads(os.read(reader, 4096))["type"] == "version"
    os.close(reader)
    os.close(writer)


def test_descriptor_that_cannot_be_written_to_is_wrong_usage(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    for destination in (f"fd:{reader}", "fd:999999", str(tmp_path), str(tmp_path / "no/file")):
        with pytest.raises(UsageWrong, match="events cannot be written"):
            Events.open(destination)
    os.close(reader)
    os.close(writer)


def test_reader_that_leaves_ends_the_stream_and_not_the_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reader, writer = os.pipe()
    events = Events.open(f"fd:{writer}")
    os.close(reader)
    events.tell("version", "provision")
    events.tell("run_start", "provision apply")
    os.close(writer)
    assert capsys.readouterr().err.count("Note: events end here") == 1
    assert not events.are_wanted


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HostUnreachable("mail1: no answer", hint="is it up?"), 5),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (click.UsageError("no such option"), 64),
        (ZeroDivisionError("secret-in-a-fault"), 1),
    ],
)
def test_run_that_raises_ends_with_its_exit_code(
    tmp_path: Path, error: BaseException, code: int
) -> None:
    events = Events.open(str(tmp_path / "run"))
    with pytest.raises(type(error)), events.run("apply"):
        raise error
    *_, diagnostic, end = _read(tmp_path / "run")
    assert (diagnostic["type"], end["type"], end["exit_code"]) == ("diagnostic", "run_end", code)
    assert "secret-in-a-fault" not in (tmp_path / "run").read_text()


def test_lines_of_several_threads_stay_whole(tmp_path: Path) -> None:
    events = Events.open(str(tmp_path / "run"))

    def tell() -> None:
        for _ in range(50):
            events.tell("probe", "x" * 5000)

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_read(tmp_path / "run")) == 200


def test_run_that_is_killed_leaves_valid_lines(tmp_path: Path) -> None:
    path = tmp_path / "run"
    program = (
        "from provision.cli.events import Events\n"
        f"events = Events.open({str(path)!r})\n"
        "while True: events.tell('probe', 'x' * 300)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        while not path.exists() or path.stat().st_size < 100_000:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    text = path.read_text()
    assert text.endswith("\n")
    assert {json.loads(line)["type"] for line in text.splitlines()} == {"probe"}


def test_what_happens_on_hosts_is_told_in_the_words_of_the_contract(tmp_path: Path) -> None:
    shown: list[Any] = []
    take = telling(Events.open(str(tmp_path / "run")), shown.append)
    outcome = HostOutcome("mail1", "rolled_back", "it did not start", ("a line",))
    steps = [{"name": "switch", "seconds": 0.5}, {"name": "roll back", "seconds": 1.0}]
    play: list[dict[str, Any]] = [
        {"type": "batch", "number": 1, "of": 2, "canary": True, "hosts": ["mail1"]},
        {"type": "play_start", "ts": 1.5},
        {
            "type": "task_start",
            "ts": 2.5,
            "host": "mail1",
            "task": "Install packages",
            "module": "apt",
        },
        {"type": "task_failed", "ts": 3.5, "host": "mail1", "task": "Switch", "steps": steps},
        {"type": "settling", "host": "mail1", "message": "mail1 answers a new connection"},
        {"type": "host_result", **outcome.as_json()},
        {"type": "interrupted", "count": 2},
    ]
    for event in play:
        take(event)
    assert shown == play
    told = [(line["type"], line["message"]) for line in _read(tmp_path / "run")]
    assert told == [
        ("batch", "batch 1 of 2, the canary: mail1"),
        ("task", "mail1: install packages: started"),
        ("task", "mail1: switch: failed"),
        ("switch", "mail1: switch took 0.5 s"),
        ("rollback", "mail1: roll back took 1.0 s"),
        ("confirm", "mail1 answers a new connection"),
        ("host_result", "mail1: rolled_back: it did not start"),
        ("interrupted", "aborted"),
    ]


def test_wrong_spec_is_told_problem_by_problem_without_its_secrets(tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    (fleet / "sites").mkdir(parents=True)
    (fleet / "fleet.yml").write_text("fleet: a\nhosts: {mail1: {adress: 198.18.0.1}}\n")
    (fleet / "sites/one.yml").write_text(
        "site: one.example\nhost: mail1\nmailboxes: {anna: {password: canary-in-clear}}\n"
    )
    path = tmp_path / "run"
    assert run(["plan", "-i", str(fleet), "--events", str(path)]) == ExitCode.SPEC_INVALID
    lines = _read(path)
    problems = [line for line in lines if line["type"] == "diagnostic" and "file" in line]
    assert {("fleet.yml", 2), ("sites/one.yml", 3)} <= {(p["file"], p["line"]) for p in problems}
    assert lines[-1]["exit_code"] == ExitCode.SPEC_INVALID
    assert "canary-in-clear" not in path.read_text()
