"""What plan and apply refuse by themselves, before any host is reached."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from provision.apply.plan_file import bind, write_plan_file
from provision.assets import demo_fleet_dir
from provision.cli.approval import Approval
from provision.cli.looking import Looking
from provision.cli.main import run
from provision.contracts.plan import plan_schema
from provision.errors import ExitCode
from provision.plan.change import Action, Basis, Change, HostPlan, Kind, Plan

CHANGE = Change(Kind.FILE, "/etc/postfix/main.cf", Action.UPDATE)
PLAN = Plan((HostPlan("mail1", 4, (CHANGE,)), HostPlan("mail2", 2)))
DIGEST = PLAN.digest()
NO_HOST = cast("Looking", None)  # a comparison of plans reaches none


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    shutil.copytree(demo_fleet_dir(), folder, ignore=shutil.ignore_patterns(".provision"))
    return folder


@pytest.fixture
def saved(demo: Path) -> Path:
    path = demo / "tonight.plan"
    write_plan_file(bind(PLAN, demo, []), path)
    return path


def _spoilt(path: Path) -> None:
    values = json.loads(path.read_text())
    values["hosts"][0]["changes"].clear()
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: (path.parent / "sites/new.yml").write_text("site: x\n"), "the fleet folder"),
        (lambda path: (path.parent / "sites/blue.example.yml").unlink(), "the fleet folder"),
        (lambda path: path.write_text("{}"), "it is not a plan"),
        (_spoilt, "it was changed after it was written"),
    ],
)
def test_stale_or_spoilt_plan_is_refused_before_any_host_is_reached(
    demo: Path,
    saved: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    spoil: Callable[[Path], object],
    words: str,
) -> None:
    spoil(saved)
    assert run(["apply", str(saved), "-i", str(demo)]) == ExitCode.REFUSED
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "Hint: " in err


@pytest.mark.parametrize("extra", [["--host", "mail1"], ["--checksum", DIGEST], ["--checksum", ""]])
def test_plan_file_takes_no_other_choice(demo: Path, saved: Path, extra: list[str]) -> None:
    assert run(["apply", str(saved), *extra, "-i", str(demo)]) == ExitCode.USAGE


def test_plan_of_one_site_cannot_be_saved(demo: Path, tmp_path: Path) -> None:
    words = ["plan", "--site", "blue.example", "-o", str(tmp_path / "x"), "-i", str(demo)]
    assert run(words) == ExitCode.USAGE


def test_missing_plan_file_is_named(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["apply", str(demo / "no.plan"), "-i", str(demo)]) == ExitCode.FAILED
    assert "no.plan cannot be read" in capsys.readouterr().err


def test_schema_of_plans_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "plan"]) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out) == plan_schema()


def test_plan_that_still_holds_is_not_refused(demo: Path, saved: Path) -> None:
    assert Approval.of(saved, None, ()).refusals(NO_HOST, PLAN) == ()
    assert Approval(checksum=PLAN.digest()).refusals(NO_HOST, PLAN) == ()
    assert Approval().refusals(NO_HOST, PLAN) == ()


def test_one_moved_host_refuses_all_and_says_which(saved: Path) -> None:
    edited = HostPlan("mail1", 4, (), basis=Basis(observed="moved"))
    outcomes = Approval.of(saved, None, ()).refusals(NO_HOST, Plan((edited, PLAN.hosts[1])))
    assert [(outcome.host, outcome.word, outcome.message) for outcome in outcomes] == [
        ("mail1", "refused", "the plan is stale"),
        ("mail2", "refused", "the plan of another host is stale"),
    ]
    assert outcomes[0].lines == (
        "its files: edited since, not by an apply",
        "gone: ~ file /etc/postfix/main.cf: update",
    )


def test_plan_of_another_digest_is_refused_even_when_nothing_is_left_to_do() -> None:
    done = Plan((HostPlan("mail1", 5),))
    (outcome,) = Approval(checksum=PLAN.digest()).refusals(NO_HOST, done)
    assert (outcome.word, outcome.exit_code) == ("refused", ExitCode.REFUSED)
    assert PLAN.digest() in outcome.lines[0]
    assert done.digest() in outcome.lines[1]


def test_approval_asks_nobody_and_its_absence_does() -> None:
    assert not Approval().is_given
    assert Approval(checksum="ab").is_given
    assert Approval.of(None, DIGEST.upper(), ("mail1",)).checksum == DIGEST


@pytest.mark.parametrize("word", ["", " ", "null", "ab", f"{DIGEST} ", f"{DIGEST[:-1]}g"])
def test_checksum_that_is_no_digest_is_wrong_usage(
    demo: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert run(["apply", "--yes", "--checksum", word, "-i", str(demo)]) == ExitCode.USAGE
    assert "is no digest of a plan" in capsys.readouterr().err


def test_saved_plan_of_no_host_approves_nothing(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nobody.plan"
    write_plan_file(bind(Plan(()), demo, ["mail1"]), path)
    assert run(["apply", str(path), "-i", str(demo)]) == ExitCode.REFUSED
    assert "approves nothing: no host answered" in capsys.readouterr().err
