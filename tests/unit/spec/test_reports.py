"""How problems are shown: located, quoted with a caret, escaped, and never with a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from provision.spec.load import Loaded
from provision.spec.node import Document, Node
from provision.spec.problem import Place, Problem, Problems
from provision.spec.quotes import Quotes
from provision.spec.report_github import github_report
from provision.spec.report_json import json_report
from provision.spec.report_text import MOST_SHOWN, text_report
from provision.spec.source import Source

Read = Callable[..., Loaded]
SITE = "site: b.example\nhost: mail1\n"
CANARY = "canary-3f9c1e-tweet"


def _all_reports(loaded: Loaded) -> str:
    return "".join(
        [
            text_report(loaded.problems, loaded.quotes),
            text_report(loaded.problems, loaded.quotes, color=True),
            json_report(loaded.problems, loaded.quotes),
            github_report(loaded.problems, loaded.quotes, fleet_dir=Path("fleet")),
            *(problem.message + problem.hint for problem in loaded.problems),
        ]
    )


def test_text_shows_the_line_with_a_caret_and_a_hint(read: Read) -> None:
    loaded = read({"sites/b.yml": SITE + "mailboxes:\n  bob: {quotta: 5G}\n"})
    assert text_report(loaded.problems, loaded.quotes) == (
        "error: the key 'quotta' is not known here\n"
        "  --> sites/b.yml:4:9\n"
        "  4 |   bob: {quotta: 5G}\n"
        "    |         ^^^^^^\n"
        "  hint: did you mean 'quota'?\n"
        "\n"
        "1 error in 1 file\n"
    )


def test_text_is_coloured_on_request_only(read: Read) -> None:
    loaded = read({"sites/b.yml": "site: b\n"})
    assert "\033[" not in text_report(loaded.problems, loaded.quotes)
    assert "\033[1;31m" in text_report(loaded.problems, loaded.quotes, color=True)


def test_json_is_versioned_and_complete(read: Read) -> None:
    loaded = read({"sites/b.yml": SITE + "host: mail1\n"})
    document = json.loads(json_report(loaded.problems, loaded.quotes, fleet=None))
    assert document == {
        "format_version": "1.0",
        "ok": False,
        "fleet": None,
        "problems": [
            {
                "severity": "error",
                "code": "duplicate-key",
                "file": "sites/b.yml",
                "line": 3,
                "column": 1,
                "end_column": 5,
                "message": "the key 'host' is given twice, first in line 2",
                "hint": "keep one of the two",
                "source": "host: mail1",
                "notes": [
                    {
                        "file": "sites/b.yml",
                        "line": 2,
                        "column": 1,
                        "end_column": 5,
                        "message": "first given here",
                    }
                ],
            }
        ],
    }


def test_annotations_are_one_escaped_line_each() -> None:
    place = Place("sites/a,b:c.yml", 2, 3, 5)
    problems = [Problem("x", place, "50%\nmore", "try"), Problem("y", Place("f"), "whole", "do")]
    report = github_report(problems, Quotes(), fleet_dir=Path("in"))
    assert report == (
        "::error file=in/sites/a%2Cb%3Ac.yml,line=2,col=3,endColumn=5,title=provision x::"
        "50%25\\u{000A}more%0AHint: try\n"
        "::error file=in/f,title=provision y::whole%0AHint: do\n"
    )


def _quote(line: str, column: int, end: int) -> tuple[str, str]:
    root = Node({}, line=0, column=0)
    root.children = {}
    source = Source("f.yml", "site: x\n" + line)
    quotes = Quotes({"f.yml": source}, {"f.yml": Document("f.yml", root)})
    quote = quotes.quote(Place("f.yml", 2, column, end))
    assert quote is not None
    return quote.text, " " * quote.caret + "^" * (quote.caret_end - quote.caret)


def test_caret_stands_below_wide_and_escaped_characters() -> None:
    assert _quote("site: 山田.x", 9, 10) == ("site: 山田.x", "          ^")
    assert _quote("site: a\u202eb", 8, 9) == ("site: a\\u{202E}b", "       ^^^^^^^^")
    assert _quote("site: e\u0301x", 9, 10) == ("site: e\u0301x", "       ^")


def test_long_line_is_cut_around_the_caret() -> None:
    text, caret = _quote("site: " + "a" * 5000 + "!" + "b" * 5000, 5007, 5008)
    assert len(text) < 140
    assert text[caret.index("^")] == "!"
    assert (text[0], text[-1]) == ("…", "…")


def test_caret_past_the_end_of_the_line_is_shown() -> None:
    assert _quote("site:", 6, 7) == ("site:", "     ^")


def test_very_many_problems_are_counted() -> None:
    problems = Problems()
    for line in range(MOST_SHOWN + 5):
        problems.error("x", Place("f", line + 1, 1, 2), "m", hint="h")
    report = text_report(problems.sorted(), Quotes())
    assert "... and 5 more" in report
    assert f"{MOST_SHOWN + 5} errors in 1 file" in report


LEAKS = [
    f"mailboxes:\n  bob: {{quota: 3X}}\n  carl:\n    password: #{CANARY}x\n",
    f"mailboxes:\n  bob:\n    password: #{CANARY}x\n    quota: [\n",
    f"mailboxes:\n  bob: {{password:{CANARY}x}}\n",
    f"mailboxes:\n  bob: {{password {CANARY}x}}\n",
    f"mailboxes:\n  bob: {{password: , {CANARY}x}}\n",
    f'mailboxes:\n  bob: {{password: "{CANARY}x": y}}\n',
    f'mailboxes:\n  bob:\n    password: "{CANARY}x": y\n',
    f"mailboxes:\n  bob: {{name: Bob, pas]: {CANARY}x}}\n",
    f"mailboxes:\n  bob: {{name: Bob password {CANARY}x, quota: 3X}}\n",
    f"mailboxes:\n  bob: {{quota: 'password: {CANARY}x'}}\n",
    f"mailboxes:\n  bob: {{password: {CANARY}x}}\n",
    f"mailboxes:\n  bob: {{pasword: {CANARY}x, quota: 3X}}\n",
    f"mailboxes:\n  bob: {{passwd: {CANARY}x, quota: 3X}}\n",
    f"mailboxes:\n  bob: {CANARY}x\n",
    f"mailboxes: [bob, {CANARY}x]\n",
    f"mailboxes: {CANARY}x\n",
    f"mailboxes:\n  bob: {{password: [{CANARY}x], password_hash: '{CANARY}x'}}\n",
    f"mailboxes:\n  bob: {{password_hash: '{{PLAIN}}{CANARY}x'}}\n",
    f"mailboxes:\n  bob:\n    password: >-\n      {CANARY}x\n      {CANARY}y\n",
    f'mailboxes:\n  bob: {{password: "{CANARY}x\n    {CANARY}y"}}\n',
    f"mailboxes:\n  bob: {{password: !secret acme/anna, password: {CANARY}x}}\n",
    f"mailboxes:\n  bob: {{<<: {{password: {CANARY}x}}}}\n",
    f"mailboxes:\n  bob: {{password: &p {CANARY}x, name: *p, quota: 3X}}\n",
    f"mailboxes:\n  bob: {{name: &p {CANARY}x, password: *p}}\n",
    f"mailboxes:\n  bob: {{quota: 3X}} # the password is {CANARY}x\n",
    f"mailboxes:\n  bob: {{password: !!str {CANARY}x}}\n",
    f"mailboxes:\n  bob: {{password: {{a: {CANARY}x}}}}\n",
    f"mailboxes:\n  bob: {{x-note: {CANARY}x, quota: 3X}}\n",
    f"retrieve: {{from: x, password: {CANARY}x}}\n",
    f"mailboxes:\n  bob: {{retrieve: [{{password: {CANARY}x}}]}}\n",
    f"mailboxes:\n  bob: {{name: x: y, password: {CANARY}x}}\n",
    f"mailboxes:\n  bob: {{name: x: y, pasword: {CANARY}x}}\n",
    f"mailboxes:\n  bob: {{password: {CANARY}x\n",
    f"mailboxes:\n  bob:\n    password:\n      {CANARY}x: y: z\n",
    f"mailboxes:\n  bob:\n    password: |\n      a\n     {CANARY}x\n   {CANARY}y: b: c\n",
    f'mailboxes:\n  bob: {{password: "{CANARY}x\n    {CANARY}y: d',
    f"mailboxes:\n\tbob: {{password: {CANARY}x}}\n",
    f"mailboxes:\n  bob: {{password: @{CANARY}x}}\n",
    f"mailboxes:\n  bob: {{password: *{CANARY}x}}\n",
    f"mailboxes:\n  bob: {{password: %{CANARY}x}}\n",
    f"mailboxes:\n  bob: {{password: '{CANARY}x' y}}\n",
    f"{CANARY}x\n",
    f"webmail: {{name: '{CANARY}', color: 7}}\n",
    f"mailboxes:\n  bob: {{name: {CANARY}, quota: 3X}}\n",
    f"mailboxes:\n  bob: {{name: 7, aliases: ['{CANARY}@x@y']}}\n",
]


@pytest.mark.parametrize("text", LEAKS)
def test_secret_is_never_shown(text: str, read: Read) -> None:
    loaded = read({"sites/b.yml": SITE + text})
    assert loaded.problems
    assert CANARY not in _all_reports(loaded)


@pytest.mark.parametrize(
    "password", [f"{CANARY}x", f"'{CANARY}x'", f"[{CANARY}x]", f"{{a: {CANARY}x}}", f"!x {CANARY}x"]
)
def test_password_of_a_smarthost_is_never_shown(password: str, read: Read, fleet_yml: str) -> None:
    fleet = fleet_yml.replace("!secret isp", password)
    loaded = read({"fleet.yml": fleet})
    assert loaded.fleet is None
    assert CANARY not in _all_reports(loaded)


def test_fleet_does_not_show_its_secrets(read: Read) -> None:
    fleet = read({}).fleet
    assert fleet is not None
    assert CANARY not in repr(fleet)
    assert "in side" not in repr(fleet)


def test_nothing_unseen_reaches_a_terminal(read: Read) -> None:
    loaded = read(
        {
            "sites/b.yml": SITE + 'x: "\\x1b[31m"\n"\\u202e": 1\nmailboxes: {"a\\nb": }\n',
            "sites/c.yml": SITE + "\x1b]0;title\x07: 1\n",
        }
    )
    for report in (
        text_report(loaded.problems, loaded.quotes),
        github_report(loaded.problems, loaded.quotes, fleet_dir=Path()),
    ):
        assert all(line.isprintable() for line in report.split("\n"))
    assert json_report(loaded.problems, loaded.quotes).isascii()
