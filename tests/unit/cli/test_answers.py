"""What apply and its document say where hosts answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from provision.apply.outcome import Applied, HostOutcome
from provision.apply.request import HostWork
from provision.cli.main import run
from provision.errors import ExitCode
from tests.contract_checks import check_document
from tests.unit.cli.answering import Answering, settled
from tests.unit.plan.estate import leaving

MAIN = "/etc/postfix/main.cf"


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answering:
    answering = Answering.demo(tmp_path / "demo")
    answering.stand_in(monkeypatch)
    return answering


def _apply_nothing(works: Sequence[HostWork], _means: object) -> Applied:
    return Applied(tuple(HostOutcome(work.plan.host, "applied") for work in works), {})


@pytest.fixture
def overtaken(answering: Answering, monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Another apply comes first, and leaves another thing to do."""
    monkeypatch.setattr("provision.apply.run.apply_batch", _apply_nothing)
    monkeypatch.setattr("provision.apply.ahead.Ahead.begin", lambda _: None)
    (bundle,) = answering.bundles.values()
    first, later = settled(bundle), settled(bundle, generation=5)
    del first["files"][MAIN]
    later["files"][MAIN] = {**later["files"][MAIN], "mode": 0o600}
    answering.answers[bundle.host.name] = [first, later, settled(bundle)]
    return answering


def test_document_of_an_overtaken_apply_is_alone_on_standard_output(
    overtaken: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["apply", "--yes", "--format", "json", "-i", str(overtaken.fleet)]
    assert run(words) == ExitCode.DONE
    out, err = capsys.readouterr()
    (host,) = check_document("apply", out)["plan"]["hosts"]
    assert (host["generation"], host["changes"][0]["name"]) == (5, MAIN)
    assert "Another apply has ended meanwhile" in err


def test_overtaken_apply_shows_what_is_left_to_do(
    overtaken: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["apply", "--yes", "-i", str(overtaken.fleet)]) == ExitCode.DONE
    out = capsys.readouterr().out
    assert f"~ file {MAIN}: update (" in out


def test_document_of_an_unchanged_fleet_is_whole_and_has_the_digest_of_its_plan(
    answering: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--format", "json", "-i", str(answering.fleet)]
    assert run(["plan", *place]) == ExitCode.DONE
    planned = check_document("plan", capsys.readouterr().out)
    assert run(["apply", *place]) == ExitCode.DONE
    applied = check_document("apply", capsys.readouterr().out)
    assert applied["plan"]["digest"] == planned["digest"]
    assert applied["outcomes"][0]["outcome"] == "unchanged"


def test_unchanged_fleet_is_known_again_without_looking(answering: Answering) -> None:
    for _ in range(2):
        assert run(["apply", "-i", str(answering.fleet)]) == ExitCode.DONE
    assert answering.asked == 1


def test_what_cannot_leave_is_told_every_time(
    answering: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle,) = answering.bundles.values()
    left = leaving(packages={"dovecot-core": ["dovecot-imapd needs it"]})
    answering.answers[bundle.host.name] = [settled(bundle, leaving=left)]
    for _ in range(2):
        assert run(["plan", "-i", str(answering.fleet)]) == ExitCode.DONE
        out = capsys.readouterr().out
        assert "package dovecot-core stays: dovecot-imapd needs it" in out
        assert "No changes." in out
