"""Find mail that would go in circles, without recursion: chains may be long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

Step = TypeVar("Step")
Graph = Mapping[Step, tuple[Step, ...]]


def find_circles(graph: Graph[Step]) -> list[tuple[Step, ...]]:
    """Circles of ``graph``, each as the steps from its first one; every circle holds one found."""
    done: set[Step] = set()
    found: list[tuple[Step, ...]] = []
    # Most steps lead to an end at once, and are in no circle.
    for start in [
        step for step, following in graph.items() if any(map(graph.__contains__, following))
    ]:
        if start in done:
            continue
        path: dict[Step, Iterator[Step]] = {start: iter(graph[start])}
        while path:
            step, waiting = next(reversed(path.items()))
            following = next(waiting, None)
            if following is None:
                path.popitem()
                done.add(step)
            elif following in path:
                steps = list(path)
                found.append(tuple(steps[steps.index(following) :]))
            elif following not in done and following in graph:
                path[following] = iter(graph[following])
    return found


def reach(graph: Graph[Step], start: Step, *, limit: int) -> int:
    """How many steps follow from ``start``; counting ends soon above ``limit``."""
    seen: set[Step] = set()
    waiting = list(graph[start])
    while waiting and len(seen) <= limit:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            waiting += graph.get(step, ())
    return len(seen)


def widest(graph: Graph[Step], *, limit: int) -> int:
    """The largest ``reach`` of any step; counting ends soon above ``limit``."""
    inner = {following for steps in graph.values() for following in steps}
    # What a step reaches, those that lead to it reach too: asking where ways start is enough.
    counts = (
        reach(graph, start, limit=limit) if any(map(graph.__contains__, steps)) else len(set(steps))
        for start, steps in graph.items()
        if start not in inner
    )
    return max(counts, default=0)
