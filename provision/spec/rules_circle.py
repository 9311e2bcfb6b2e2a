"""Where the addresses of a fleet lead: none in circles, none to a crowd."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from provision.model.address import Address
from provision.spec.circles import find_circles, reach
from provision.spec.problem import Place, Problems
from provision.spec.written import WrittenSite

_MOST_REPORTED = 20
MAX_REACH = 1000
"""Most recipients that one address may stand for (postconf(5), virtual_alias_expansion_limit)."""


@dataclass(slots=True)
class Entry:
    """One address of the fleet: where it is written, and where its mail goes on to."""

    one: WrittenSite
    path: tuple[str | int, ...]
    targets: tuple[Address, ...] = ()
    target_path: tuple[str | int, ...] | None = None
    """The list that names the targets; None when nobody wrote them."""

    def place(self) -> Place:
        """Where the address is written."""
        return self.one.document.key_place(*self.path)

    def target_place(self, index: int) -> Place:
        """Where one of its targets is written."""
        if self.target_path is None:
            return self.place()
        return self.one.document.place(*self.target_path, index)


Directory = dict[Address, Entry]


def bare(address: Address) -> Address:
    """The address without the detail of plus-addressing."""
    if "+" not in address.local:
        return address
    return Address(address.domain, address.local.partition("+")[0])


def graph_of(directory: Directory) -> dict[Address, tuple[Address, ...]]:
    """Addresses that pass mail on, and where to."""
    return {
        address: tuple(bare(target) for target in entry.targets)
        for address, entry in directory.items()
        if entry.targets
    }


def check_circles(directory: Directory, problems: Problems) -> None:
    """Report mail that would go in circles, or to too many."""
    graph = graph_of(directory)
    for circle in find_circles(graph):
        entry = directory[circle[0]]
        following = circle[1 % len(circle)]
        index = [bare(target) for target in entry.targets].index(following)
        if len(circle) == 1:
            message = f"{circle[0]} leads to itself"
        else:
            way = " -> ".join(map(str, (*circle, circle[0])))
            message = f"mail goes in circles: {way}"
        problems.error(
            "circle", entry.target_place(index), message, hint="take one of the steps out"
        )
    _check_reach(graph, directory, problems)


def _check_reach(
    graph: dict[Address, tuple[Address, ...]], directory: Directory, problems: Problems
) -> None:
    # What an address reaches, those that lead to it reach too: asking where mail starts is enough.
    inner = {target for targets in graph.values() for target in targets}
    starts = (address for address in graph if address not in inner)
    wide = (start for start in starts if reach(graph, start, limit=MAX_REACH) > MAX_REACH)
    for address in islice(wide, _MOST_REPORTED):
        problems.error(
            "reach", directory[address].place(),
            f"mail for {address} would go to more than {MAX_REACH} addresses",
            hint="this is a mailing list; it needs a program of its own",
        )  # fmt: skip
