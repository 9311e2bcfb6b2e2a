"""An apply that is killed, interrupted or not heard ends whole, or the next one ends it."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.canaries import assert_no_secret_is_shown
from tests.lab.engine_fleet import HOST, NO_CHANGES, EngineFleet, is_at_work, is_playing, wait_for
from tests.lab.rehearsal import Rehearsal

pytestmark = pytest.mark.lab

UNREAD = "import os; reader, writer = os.pipe(); os.dup2(writer, 2); os.close(reader)"


@pytest.fixture(scope="module")
def began(rehearsal: Rehearsal) -> str:
    """The host's time before the first test, in seconds since 1970."""
    return rehearsal.run("date +%s").strip()


@pytest.fixture(scope="module")
def fleet(rehearsal: Rehearsal, began: str) -> Iterator[EngineFleet]:
    """The rehearsed fleet, as its spec asks."""
    engine = EngineFleet(rehearsal.lab)
    engine.provision("apply", "--yes")
    yield engine
    rehearsal.close()


@pytest.fixture
def applied(fleet: EngineFleet) -> Iterator[EngineFleet]:
    """The applied fleet; a test that changes its folder finds it put back at the end."""
    with fleet.put_back():
        yield fleet


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where an apply keeps its secrets; with a short name, since a socket is among them."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def test_switch_that_lost_its_apply_is_waited_for(applied: EngineFleet) -> None:
    """It ends by itself; two applies at the same time are in test_locks."""
    applied.edit("sites/acme.example.yml", "Anna Ask", "Anna Asks")
    applied.on_host(
        "systemd-run --quiet --collect flock /run/provision/lock sh -c 'touch /run/held; sleep 30'"
    )
    wait_for(
        lambda: applied.lab.run(HOST, ["test", "-e", "/run/held"], check=False).returncode == 0
    )
    process = applied.start("apply", "--yes")
    assert process.stderr is not None
    waits = next(line for line in process.stderr if "waiting" in line)
    assert "without its controller and ends by itself" in waits
    applied.on_host("systemctl stop 'run-*.service'; rm /run/held")
    assert applied.end(process).code == 0


def test_controller_killed_in_the_middle_is_gone_on_from(applied: EngineFleet) -> None:
    applied.edit("sites/acme.example.yml", '"#0a5"', '"#0a7"')
    process = applied.start("apply", "--yes")
    wait_for(
        lambda: (
            applied.lab.run(HOST, ["test", "-e", "/run/provision/check"], check=False).returncode
            == 0
            or process.poll() is not None
        )
    )
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.communicate()
    wait_for(lambda: not is_at_work(applied.lab, HOST))
    assert applied.provision("apply", "--yes").out.endswith(NO_CHANGES)


def test_ctrl_c_lets_the_host_finish(applied: EngineFleet) -> None:
    applied.edit("sites/acme.example.yml", '"#0a5"', '"#0a9"')
    process = applied.start("apply", "--yes")
    wait_for(lambda: is_playing(process.pid))
    process.send_signal(signal.SIGINT)
    ran = applied.end(process)
    assert ran.code == 130
    assert "those at work finish first" in ran.err
    assert "mail1: applied" in ran.out
    assert applied.provision("plan").out == NO_CHANGES


def test_ctrl_c_twice_aborts_and_the_host_ends_whole(applied: EngineFleet) -> None:
    applied.edit("sites/acme.example.yml", '"#0a5"', '"#0aa"')
    process = applied.start("apply", "--yes")
    wait_for(lambda: is_playing(process.pid))
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)  # two that come at once are one to the kernel (signal(7))
    assert applied.end(process).code == 130
    wait_for(lambda: not is_at_work(applied.lab, HOST))
    assert applied.provision("apply", "--yes").out.endswith(NO_CHANGES)


def test_cancelled_job_is_an_abort_and_leaves_no_secret_here(
    applied: EngineFleet, memory: Path
) -> None:
    applied.edit("sites/acme.example.yml", '"#0a5"', '"#0ab"')
    process = applied.start("apply", "--yes")
    wait_for(lambda: is_playing(process.pid))
    assert list(memory.iterdir())
    process.send_signal(signal.SIGTERM)
    ran = applied.end(process)
    assert ran.code == 130
    assert "mail1: " in ran.out
    assert not list(memory.iterdir())
    assert json.loads(_audit_lines(applied)[-1])["hosts"].keys() == {HOST}
    wait_for(lambda: not is_at_work(applied.lab, HOST))
    assert applied.provision("apply", "--yes").out.endswith(NO_CHANGES)


def test_progress_that_nobody_reads_stops_nothing(applied: EngineFleet) -> None:
    """As with 2>&1 | head."""
    applied.edit("sites/acme.example.yml", '"#0a5"', '"#0ac"')
    before = len(_audit_lines(applied))
    ran = applied.provision("apply", "--yes", before=UNREAD)
    assert ran.out.endswith(NO_CHANGES)
    assert len(_audit_lines(applied)) == before + 1


def _audit_lines(engine: EngineFleet) -> list[str]:
    return (engine.folder / ".provision/audit.log").read_text().splitlines()


def test_switch_that_was_interrupted_is_rolled_back_and_applied_again(
    applied: EngineFleet,
) -> None:
    applied.edit("sites/acme.example.yml", '"#0a5"', '"#0a8"')
    applied.provision("apply", "--yes")
    applied.on_host(
        "cd /var/lib/provision && n=$(basename $(readlink current)) &&"
        ' echo "{\\"to\\": $n, \\"from\\": $((n - 1))}" > journal.json'
    )
    assert "a switch was interrupted" in applied.provision("plan").out
    assert applied.provision("apply", "--yes").out.endswith(NO_CHANGES)


def test_activation_that_was_never_proved_is_finished(applied: EngineFleet) -> None:
    applied.on_host('echo \'[["nginx.service", "reload"]]\' > /var/lib/provision/pending.json')
    ran = applied.provision("plan", "--detailed-exitcode", code=2)
    assert "> reload nginx.service: left over by an interrupted apply" in ran.out
    assert applied.provision("apply", "--yes").out.endswith(NO_CHANGES)


def test_no_secret_is_shown_by_an_apply_that_is_disturbed(fleet: EngineFleet, began: str) -> None:
    assert_no_secret_is_shown(fleet, since=began)
