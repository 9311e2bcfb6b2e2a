"""A plan in a pull request comment is read as it is meant, whatever people wrote in the spec."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from provision.plan.change import Action, Change, HostPlan, Kind, Origin, Plan
from provision.plan.diff import diff_host
from provision.plan.markdown import LIMIT, markdown_plan
from tests.unit.plan.estate import bare, desired
from tests.unit.plan.test_guard import BIG, planned

GITHUB = 65_536
FIRST = Plan((diff_host(desired(), bare()),))


def _of(detail: str, diff: str = "") -> Plan:
    change = Change(Kind.MAILBOX, "x@acme.example", Action.UPDATE, detail, diff)
    return Plan((HostPlan("mail1", 4, (change,)),))


def _outside(text: str) -> str:
    """What Markdown interprets: all but fenced blocks (CommonMark 4.5)."""
    found, fence = [], ""
    for line in text.split("\n"):
        opening = re.match("(`{3,})diff$", line)
        if fence:
            fence = "" if line == fence else fence
        elif opening:
            fence = opening[1]
        else:
            found.append(line)
    assert fence == "", "a fence is left open"
    return "\n".join(found)


def test_comment_reads_like_this() -> None:
    text = markdown_plan(_of("quota 2G -> 5G"))
    digest = _of("quota 2G -> 5G").digest()
    assert text == (
        "### Plan: 0 to create, 1 to update, 0 to delete on 1 host; no units to move.\n\n"
        "#### mail1 (generation 4)\n\n"
        "```diff\n~ mailbox x@acme.example: update (quota 2G -> 5G)\n```\n\n"
        f"Digest: `{digest}`\n"
    )


def test_empty_plan_is_one_line() -> None:
    text = markdown_plan(Plan((HostPlan("mail1", 4),)))
    assert text == "### No changes. mail1 is as the spec asks.\n"


def test_partial_plan_says_so() -> None:
    text = markdown_plan(replace(FIRST, partial=("only mail1, as asked",)))
    assert "**Partial plan:** only mail1, as asked." in text


def test_drift_is_counted_and_marked() -> None:
    edited = Change(Kind.FILE, "/etc/a", Action.UPDATE, origin=Origin.DRIFT)
    text = markdown_plan(Plan((HostPlan("mail1", 4, (edited,)),)))
    assert "**Drift: this undoes 1 edit made on hosts.**" in text
    assert "~ file /etc/a: update (changed on the host)" in text


def test_objections_stand_before_the_changes() -> None:
    text = markdown_plan(Plan((planned([BIG], []),)))
    assert text.index("! mail1 loses all of its sites") < text.index("- site big.example")


def test_diffs_are_folded_away() -> None:
    text = markdown_plan(_of("x", "--- a\n+++ b\n-old\n+new\n"))
    assert "<details><summary>Diffs of mail1</summary>\n\n```diff\n--- a\n+++ b\n-old\n+new" in text


HOSTILE = st.lists(
    st.sampled_from([*"`~\\<>&@#*_[]()!|\n\r\t ", "diff", "```", "\u202e", "\u200b", "é"]),
    max_size=40,
).map("".join)


@given(detail=HOSTILE, diff=HOSTILE)
def test_nothing_that_people_wrote_leaves_its_fence(detail: str, diff: str) -> None:
    plan = _of(f"{detail}@team<img>", f"{diff}@team<img>")
    text = markdown_plan(plan)
    assert "@team" not in _outside(text)
    assert "<img>" not in _outside(text)
    assert "\u202e" not in text
    assert "\u200b" not in text


def test_large_plan_is_cut_short_says_so_and_keeps_its_digest() -> None:
    changes = tuple(
        Change(Kind.MAILBOX, f"m{number:05}@acme.example", Action.CREATE, "quota 2G", "+x\n" * 50)
        for number in range(9000)
    )
    plan = Plan((HostPlan("mail1", 4, changes), HostPlan("mail2", 4, changes)))
    text = markdown_plan(plan)
    assert len(text) <= LIMIT < GITHUB
    shown = len(re.findall("^[+] mailbox", text, re.MULTILINE))
    left_out = int(re.findall(r"\*\*Cut short:\*\* (\d+) more lines", text)[0])
    assert shown + left_out == 2 * (9000 + 9000 * 50)
    assert plan.digest() in text
    _outside(text)


def test_changes_are_kept_before_diffs() -> None:
    changes = tuple(
        Change(Kind.FILE, f"/etc/{number}", Action.UPDATE, "", "+x\n" * 200)
        for number in range(100)
    )
    text = markdown_plan(Plan((HostPlan("mail1", 4, changes),)), limit=8000)
    assert len(text) <= 8000
    assert text.count("~ file") == 100
    assert "Cut short" in text
