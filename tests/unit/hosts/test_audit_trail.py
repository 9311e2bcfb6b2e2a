"""A host's audit says who applied, and a damaged line hides no other."""

from __future__ import annotations

import json

from provision.hosts.audit_trail import parse_audit

LINE = {
    "when": "2026-11-23T18:00:00Z",
    "who": "ada@desk",
    "commit": "c0ffee",
    "plan": "ab",
    "outcome": "applied",
    "generation": 7,
    "message": "",
}


def test_apply_is_told_in_words() -> None:
    (line,) = parse_audit(json.dumps(LINE).encode())
    assert line.words() == (
        "ada@desk at 2026-11-23T18:00:00Z from commit c0ffee: applied, generation 7"
    )
    (line,) = parse_audit(json.dumps(LINE | {"commit": "", "generation": None}).encode())
    assert line.words() == "ada@desk at 2026-11-23T18:00:00Z: applied"


def test_what_is_no_audit_line_is_left_out() -> None:
    whole = json.dumps(LINE)
    log = f'{whole[20:]}\n\xff\n3\n{{"when": 1}}\n{whole}\n'.encode("latin-1")
    assert len(parse_audit(log)) == 1
