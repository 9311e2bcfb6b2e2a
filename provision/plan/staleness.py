"""Is a saved plan still the plan? Says what has moved since, on the controller and on hosts; pure.

A saved plan is applied only when planning again gives exactly the same, so what is applied is what
was reviewed.
"""

from __future__ import annotations

from collections.abc import Iterator

from provision.plan.change import HostPlan
from provision.plan.document import FleetVersion
from provision.plan.show import action_words, change_words

_MOST = 12


def fleet_moves(saved: FleetVersion, now: FleetVersion) -> Iterator[str]:
    """What is different about the fleet folder and this program, a line each.

    A new commit alone is none: a merge makes one, and the folder may be what it was.
    """
    if saved.digest != now.digest:
        yield f"the fleet folder: planned from {_named(saved)}, now {_named(now)}"
    if saved.templates != now.templates:
        yield "the templates of this program: it is another version than the one that planned"


def _named(version: FleetVersion) -> str:
    commit = f"commit {version.commit[:12]}" if version.commit else f"digest {version.digest[:12]}"
    return f"{commit} with changes" if version.dirty else commit


def host_moves(saved: HostPlan, now: HostPlan) -> Iterator[str]:
    """What is different about a host since the plan was saved, a line each; nothing: it holds."""
    if saved.digest() == now.digest():
        return
    if saved.generation != now.generation:
        yield f"its generation: {saved.generation} when planned, now {now.generation}"
    elif saved.basis.manifest != now.basis.manifest:
        yield "its accounts: another apply changed them"
    elif saved.basis.observed != now.basis.observed:
        yield "its files: edited since, not by an apply"
    if saved.basis.desired != now.basis.desired:
        yield "what it shall have: this controller renders something else (certificates, secrets?)"
    yield from _capped([*_difference("new", now, saved), *_difference("gone", saved, now)])


def _difference(word: str, one: HostPlan, other: HostPlan) -> list[str]:
    """The changes that ``one`` has and ``other`` has not, in words."""
    known = set(other.changes)
    lines = [f"{word}: {change_words(c)}" for c in one.changes if c not in known]
    actions = set(other.unit_actions)
    lines += [f"{word}: > {action_words(a)}" for a in one.unit_actions if a not in actions]
    return lines


def _capped(lines: list[str]) -> Iterator[str]:
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"and {len(lines) - _MOST} more differences"


def has_moved_by_apply(saved: HostPlan, now: HostPlan) -> bool:
    """True when an apply has been there since: the host's audit knows whose."""
    return saved.basis.manifest != now.basis.manifest
