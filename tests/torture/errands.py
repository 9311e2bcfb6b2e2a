"""What is to be tried, and in which order: every step of each way once for every disaster.

A point moves the host to the other state. So a worker is handed two at a time: one on the way to
the far state and one on the way back to the near one, where the next errand begins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from provision.lab.breakpoint import Step
from tests.torture.first import first_points
from tests.torture.specs import PLAYS, Play

Key = tuple[str, str, int, str]
"""Disaster, state, number and name of a step."""


@dataclass(frozen=True)
class Target:
    """A step to be interrupted, the disaster, and the state that the apply leads to."""

    sweep: str
    towards: str
    step: Step

    @property
    def key(self) -> Key:
        """What a point of a report has to have for being a try of this."""
        return self.sweep, self.towards, self.step.number, self.step.name


@dataclass(frozen=True)
class Errand:
    """What a worker does in one go. A host in the near state is there again at its end."""

    there: Target | None = None
    """On the way to the far state; None: nobody disturbs that apply."""
    back: Target | None = None
    first: Target | None = None
    """On the way from a bare host to the near state; nothing else is done then."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """All that is tried."""
        return tuple(target for target in (self.there, self.back, self.first) if target)


@dataclass(frozen=True)
class Wishes:
    """Which part of everything is wanted."""

    sweeps: tuple[str, ...]
    ranks: slice = field(default_factory=lambda: slice(None))
    """Places in the order of danger."""
    every: int = 1
    one_way: bool = False
    """A step that both directions have is tried in one of them, by turns."""
    has_ways: bool = True
    has_first: bool = True
    play: Play = PLAYS["ordinary"]


_Same = tuple[str, str, int]
"""Disaster, name of a step but for the generation's number, and which of that name it is."""
_NUMBER = re.compile(r"/generations/[0-9]+")

Steps = Mapping[str, Sequence[Step]]
"""State to the steps that lead there; ``first`` to those of a first apply."""


def errands(steps: Steps, wishes: Wishes, done: Container[Key] = ()) -> list[Errand]:
    """Everything that is wanted and whose key is not in ``done``, the worst first.

    First applies come last: after one a host lacks what only comes and goes with the far state.
    """
    ways = [[target for target in way if target.key not in done] for way in _ways(steps, wishes)]
    pairs = [Errand(there, back) for there, back in zip_longest(*ways)]
    firsts = _firsts(steps, wishes) if wishes.has_first else ()
    return pairs + [Errand(first=target) for target in firsts if target.key not in done]


def _ways(steps: Steps, wishes: Wishes) -> tuple[list[Target], list[Target]]:
    """What is wanted on the way to the far state, and on the way back."""
    if not wishes.has_ways:
        return [], []
    far, near = (_way(steps, towards, wishes) for towards in (wishes.play.far, wishes.play.near))
    if wishes.one_way:
        shared = [same for same in far if same in near]
        for number, same in enumerate(shared):
            del (far, near)[number % 2][same]
    return list(far.values()), list(near.values())


def _way(steps: Steps, towards: str, wishes: Wishes) -> dict[_Same, Target]:
    """The targets of one direction, by what is the same in the other one."""
    wanted = by_danger(steps[towards])[wishes.ranks][:: wishes.every]
    seen = Counter[str]()
    found: dict[_Same, Target] = {}
    for step in wanted:
        name = _NUMBER.sub("/generations/N", step.name)
        seen[name] += 1
        for sweep in wishes.sweeps:
            found[sweep, name, seen[name]] = Target(sweep, towards, step)
    return found


def _firsts(steps: Steps, wishes: Wishes) -> Iterator[Target]:
    numbers = {step.name: step.number for step in steps["first"]}
    for sweep, name in first_points(wishes.sweeps):
        yield Target(sweep, "first", Step(numbers.get(name, 0), name))


def by_danger(steps: Sequence[Step]) -> list[Step]:
    """Steps on what is live before steps on a generation that nobody reads yet."""
    return sorted(steps, key=lambda step: (_is_staging(step), step.number))


def _is_staging(step: Step) -> bool:
    return "/generations/" in step.name or step.name.startswith("make directory ")
