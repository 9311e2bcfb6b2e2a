from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from provision.errors import ExitCode
from provision.verify.junit import junit_xml
from provision.verify.outcome import Outcome, Verdict
from provision.verify.report import Report
from provision.verify.summary import print_summary


def _outcome(verdict: Verdict, *, site: str | None = None, fault: str = "") -> Outcome:
    return Outcome(
        name="checks.units.unit_runs",
        promise="Unit nginx.service runs",
        host="mail1",
        site=site,
        verdict=verdict,
        seconds=0.25,
        fault=fault,
        hint="Start it." if fault else "",
    )


def _report(*outcomes: Outcome) -> Report:
    return Report.of("demo", outcomes, seconds=1.5)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([Verdict.PROVED], ExitCode.DONE),
        ([Verdict.PROVED, Verdict.FAULT], ExitCode.VERIFY_FAULT),
        ([Verdict.PROVED, Verdict.NOT_TRIED], ExitCode.VERIFY_FAULT),
        ([Verdict.FAULT, Verdict.UNREACHABLE], ExitCode.UNREACHABLE),
        ([], ExitCode.VERIFY_FAULT),
    ],
)
def test_worst_outcome_decides_the_exit_code(verdicts: list[Verdict], code: ExitCode) -> None:
    assert _report(*map(_outcome, verdicts)).exit_code is code


def test_junit_counts_each_kind_in_a_suite_for_host_and_site() -> None:
    report = _report(
        _outcome(Verdict.PROVED),
        _outcome(Verdict.FAULT, fault="it does not run"),
        _outcome(Verdict.NOT_TRIED, site="acme.example", fault="login on 465 has failed"),
    )
    root = ET.fromstring(junit_xml(report))
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["mail1", "mail1 acme.example"]
    host = suites["mail1"]
    assert (host.get("tests"), host.get("failures"), host.get("skipped")) == ("2", "1", "0")
    failure = host.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "it does not run"
    assert failure.text == "Start it."
    assert suites["mail1 acme.example"].get("skipped") == "1"


def test_junit_survives_bytes_that_xml_cannot_hold() -> None:
    report = _report(_outcome(Verdict.FAULT, fault="said \x00\x1b[31m\ud800 <&>"))
    failure = ET.fromstring(junit_xml(report)).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "said ??[31m? <&>"


def test_json_document_is_versioned_and_whole() -> None:
    document = json.loads(json.dumps(_report(_outcome(Verdict.PROVED)).document()))
    assert document["format_version"] == "1.0"
    assert document["exit_code"] == 0
    assert document["counts"]["proved"] == 1
    assert document["outcomes"][0]["promise"] == "Unit nginx.service runs"


def _printed(report: Report, *, verbose: bool = False) -> str:
    console = Console(width=100, force_terminal=False, record=True, quiet=False, file=None)
    with console.capture() as captured:
        print_summary(report, console, verbose=verbose)
    return captured.get()


def test_summary_says_what_failed_where_and_what_to_do() -> None:
    text = _printed(_report(_outcome(Verdict.FAULT, fault="nginx [x] is [/bold] dead")))
    assert "Unit nginx.service runs" in text
    assert "nginx [x] is [/bold] dead" in text
    assert "Start it." in text
    assert "checks.units.unit_runs" in text
    assert "Not verified: 1 of 1 promise on 1 host and 0 sites" in text


def test_summary_of_success_is_short_unless_asked() -> None:
    report = _report(_outcome(Verdict.PROVED), _outcome(Verdict.PROVED, site="acme.example"))
    assert "Unit nginx.service runs" not in _printed(report)
    assert "Verified: 2 promises proved on 1 host and 1 site in 1.5 s." in _printed(report)
    assert "Unit nginx.service runs" in _printed(report, verbose=True)


def test_nothing_tried_is_not_a_success() -> None:
    assert "Nothing was tried." in _printed(_report())
