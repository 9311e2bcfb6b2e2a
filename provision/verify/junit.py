"""The report as JUnit XML, as pipelines read it: a suite for each host and each of its sites."""

from __future__ import annotations

import re
from itertools import groupby
from xml.etree import ElementTree as ET

from provision.verify.outcome import Outcome, Verdict
from provision.verify.report import Report

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> bytes:
    """The report as one ``testsuites`` document, UTF-8."""
    root = ET.Element("testsuites", name="provision verify", time=f"{report.seconds:.3f}")
    for (host, site), outcomes in groupby(report.outcomes, key=lambda one: (one.host, one.site)):
        _suite(root, f"{host} {site}" if site else host, list(outcomes))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _suite(root: ET.Element, name: str, outcomes: list[Outcome]) -> None:
    count = {verdict: sum(one.verdict is verdict for one in outcomes) for verdict in Verdict}
    suite = ET.SubElement(
        root,
        "testsuite",
        name=name,
        tests=str(len(outcomes)),
        failures=str(count[Verdict.FAULT]),
        errors=str(count[Verdict.UNREACHABLE]),
        skipped=str(count[Verdict.NOT_TRIED]),
        time=f"{sum(one.seconds for one in outcomes):.3f}",
    )
    for one in outcomes:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=one.name,
            name=_clean(one.promise),
            time=f"{one.seconds:.3f}",
        )
        _add_verdict(case, one)


def _add_verdict(case: ET.Element, one: Outcome) -> None:
    tag = {
        Verdict.FAULT: "failure",
        Verdict.UNREACHABLE: "error",
        Verdict.NOT_TRIED: "skipped",
    }.get(one.verdict)
    if tag is not None:
        end = ET.SubElement(case, tag, message=_clean(one.fault))
        end.text = _clean("\n".join(part for part in (one.hint, one.detail) if part))


def _clean(text: str) -> str:
    """Characters that XML 1.0 cannot hold become question marks."""
    return _NOT_XML.sub("?", text)
