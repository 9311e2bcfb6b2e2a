"""The documents of check, verify, inventory and lab list."""

from __future__ import annotations

from provision.contracts.run import EXIT_CODE
from provision.contracts.shapes import (
    COUNT,
    SECONDS,
    TEXT,
    TRUTH,
    Schema,
    about,
    array,
    document,
    keys,
    or_null,
    words,
)
from provision.spec.problem import Severity
from provision.verify.outcome import Verdict

_PLACE = {
    "file": TEXT,
    "line": or_null(COUNT),
    "column": or_null(COUNT),
    "end_column": or_null(COUNT),
}
PROBLEM: dict[str, Schema] = {
    "severity": words(severity.value for severity in Severity),
    "code": about("Stable name of the rule.", TEXT),
    **_PLACE,
    "message": TEXT,
    "hint": or_null(TEXT),
    "source": about("The line of the file, secrets masked.", or_null(TEXT)),
    "notes": array(keys(**_PLACE, message=TEXT)),
}
VERDICT: dict[str, Schema] = {
    "name": about("Stable name of the check or probe.", TEXT),
    "promise": TEXT,
    "host": TEXT,
    "site": or_null(TEXT),
    "verdict": words(Verdict),
    "seconds": SECONDS,
    "fault": TEXT,
    "hint": TEXT,
    "detail": TEXT,
}


def check_schema() -> Schema:
    """What ``check --format json`` prints."""
    counts = keys(hosts=COUNT, sites=COUNT, mailboxes=COUNT, aliases=COUNT)
    return document(
        "The problems of a fleet folder",
        ok=about("False: there is at least one error.", TRUTH),
        fleet=or_null(TEXT),
        counts=or_null(counts),
        seconds=SECONDS,
        problems=array(keys(**PROBLEM)),
    )


def verify_schema() -> Schema:
    """What ``verify --format json`` prints."""
    return document(
        "What was proved of a fleet",
        fleet=TEXT,
        exit_code=EXIT_CODE,
        seconds=SECONDS,
        counts=keys(**{verdict.value: COUNT for verdict in Verdict}),
        outcomes=array(keys(**VERDICT)),
    )


def inventory_schema() -> Schema:
    """What ``inventory --list`` prints: Ansible's own format, with our version in ``_meta``."""
    version: Schema = {"type": "string", "pattern": r"^1\.[0-9]+$"}
    variables: Schema = {
        "type": "object",
        "additionalProperties": keys(ansible_host=TEXT, ansible_port=COUNT, ansible_user=TEXT),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A fleet as an Ansible inventory",
        **keys(
            all=keys(hosts=array(TEXT)),
            _meta=keys(format_version=version, hostvars=variables),
        ),
    }


def labs_schema() -> Schema:
    """What ``lab list --format json`` prints."""
    return document("The labs of this machine", labs=array(keys(name=TEXT, fleet=TEXT)))
