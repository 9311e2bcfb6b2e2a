"""A plan as Markdown, made for a comment on a pull request: nothing in it is interpreted.

All that people or hosts wrote stands in fenced code blocks (CommonMark 4.5), whose fence is longer
than any run of backticks inside; what cannot be seen is written out. The size has a limit, because
forges refuse longer comments (GitHub: 65,536 characters).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from provision.plan.change import HostPlan, Plan
from provision.plan.show import (
    access_words,
    action_words,
    change_words,
    drift_words,
    objection_words,
    seen,
    summary,
)

LIMIT = 60_000
"""Characters; leaves room for what a pipeline writes around it."""
_FRAME = 300
"""Characters that the frame of one host's part may take: heading, fences, details."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~@&-])")


def markdown_plan(plan: Plan, *, limit: int = LIMIT) -> str:
    """The plan in about ``limit`` characters: changes first, then diffs as far as there is room."""
    hosts = [host for host in plan.hosts if not host.is_empty]
    head = [f"### {_escaped(summary(plan))}"]
    head += [f"**Partial plan:** {_escaped(reason)}." for reason in plan.partial]
    if drift := drift_words(plan):
        head.append(f"**{_escaped(drift)}**")
    room = _Room(limit - sum(map(len, head)) - _FRAME)
    changes = [(host, room.take(_changes(host), frame=_FRAME)) for host in hosts]
    diffs = {host.host: room.take(_diffs(host), frame=_FRAME) for host in hosts}
    parts = [part for host, lines in changes for part in _host(host, lines, diffs[host.host])]
    tail = [f"Digest: `{plan.digest()}`"] if hosts else []
    if room.left_out:
        note = f"{room.left_out} more lines do not fit here; `provision plan` shows them"
        tail.insert(0, f"**Cut short:** {note}.")
    return "\n\n".join([*head, *parts, *tail]) + "\n"


class _Room:
    """What is left of the characters, and how many lines found no place."""

    def __init__(self, characters: int) -> None:
        self.characters, self.left_out = characters, 0

    def take(self, lines: Iterable[str], *, frame: int) -> list[str]:
        """The lines that fit; nothing after the first that does not, so no gap is hidden."""
        wanted = list(lines)
        left, taken = self.characters - frame, 0
        for line in wanted:
            if len(line) + 1 > left:
                break
            left -= len(line) + 1
            taken += 1
        if taken:
            self.characters = left
        self.left_out += len(wanted) - taken
        return wanted[:taken]


def _changes(host: HostPlan) -> Iterator[str]:
    """Objections and changes, each line with the sign at its start, where a diff is coloured."""
    if host.access:
        yield seen(f"! {access_words(host)}")
    yield from (seen(f"! {objection_words(objection)}") for objection in host.objections)
    yield from (seen(change_words(change)) for change in host.changes)
    yield from (seen(f"> {action_words(action)}") for action in host.unit_actions)


def _diffs(host: HostPlan) -> Iterator[str]:
    for change in host.changes:
        yield from map(seen, change.diff.splitlines())


def _host(host: HostPlan, changes: list[str], diffs: list[str]) -> Iterator[str]:
    if changes:
        yield f"#### {_escaped(host.host)} (generation {host.generation or 'none'})"
        yield _fenced(changes)
    if diffs:
        yield f"<details><summary>Diffs of {host.host}</summary>\n\n{_fenced(diffs)}\n\n</details>"


def _fenced(lines: list[str]) -> str:
    text = "\n".join(lines)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n{text}\n{fence}"


def _escaped(text: str) -> str:
    """Text outside of fences: every character that Markdown or HTML may read is made plain."""
    return _SPECIAL.sub(r"\\\1", seen(text))
