"""Rules for renamed mailboxes: each old name is free, and has one heir."""

from __future__ import annotations

from provision.model.address import LocalPart
from provision.spec.problem import Note, Place, Problem, Problems
from provision.spec.written import WrittenFleet, WrittenSite


def check_moves(written: WrittenFleet, problems: Problems) -> None:
    """Report a mailbox that was moved from itself, from one that is there, or from another's."""
    for one in written.sites:
        check_site_moves(one, problems)


def check_site_moves(one: WrittenSite, problems: Problems) -> None:
    """The same for one site."""
    keys = {LocalPart.parse(key): key for key in one.spec.mailboxes}
    heirs: dict[LocalPart, Place] = {}
    for local, key in keys.items():
        spec = one.spec.mailboxes[key]
        origin = spec.moved_from if spec else None
        if origin is None:
            continue
        place = one.document.place("mailboxes", key, "moved_from")
        if origin == local:
            problems.error(
                "moved-from-itself", place, f"{local} was moved from itself",
                hint="write what it was called before, or delete the line",
            )  # fmt: skip
        elif origin in keys:
            _still_there(origin, one.document.key_place("mailboxes", keys[origin]), place, problems)
        elif origin in heirs:
            _two_heirs(origin, place, heirs[origin], problems)
        heirs.setdefault(origin, place)


def _still_there(origin: LocalPart, first: Place, place: Place, problems: Problems) -> None:
    problems.add(
        Problem(
            "moved-from-there",
            place,
            f"the mailbox {origin} is still there, so its mail cannot be moved",
            "delete the mailbox of the old name (an alias may take its place), or this line; names"
            " are exchanged by way of a third one",
            notes=(Note(first, "it is here"),),
        )
    )


def _two_heirs(origin: LocalPart, place: Place, first: Place, problems: Problems) -> None:
    problems.add(
        Problem(
            "moved-from-twice",
            place,
            f"the mail of {origin} goes to another mailbox already, in {first}",
            "one mailbox can take it",
            notes=(Note(first, "first taken here"),),
        )
    )
