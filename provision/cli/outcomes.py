"""How an apply ended, for people: a line per host, what failed, and passwords shown once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from provision.apply.outcome import HostOutcome
from provision.model.secret import Secret
from provision.plan.show import Line

_WORDS = {
    "applied": ("applied", "green"),
    "unchanged": ("nothing to do", "dim"),
    "refused": ("refused, nothing was changed", "yellow"),
    "rolled_back": ("failed, and is back on its old generation", "red"),
    "needs_person": ("needs a person", "red"),
    "unreachable": ("not reached", "red"),
    "failed": ("failed", "red"),
    "not_started": ("not started", "yellow"),
}


def outcome_lines(outcomes: Sequence[HostOutcome]) -> Iterator[Line]:
    """Every host's outcome with the findings that matter."""
    for outcome in outcomes:
        words, style = _WORDS[outcome.word]
        detail = f": {outcome.message}" if outcome.message else ""
        if outcome.word == "applied":
            detail = f" in {outcome.seconds:.1f} s, generation {outcome.generation}"
        yield Line(f"{outcome.host}: {words}{detail}", style)
        for line in outcome.lines:
            yield Line(f"    {line}")
        yield from _replaced_lines(outcome)


def _replaced_lines(outcome: HostOutcome) -> Iterator[Line]:
    if not outcome.replaced:
        return
    folder = f"/var/lib/provision/replaced/{outcome.generation or ''}"
    count = len(outcome.replaced)
    words = "file was" if count == 1 else "files were"
    yield Line(
        f"    {count} {words} not as a generation had left them; kept in {folder}:", "yellow"
    )
    for path in outcome.replaced:
        yield Line(f"      {path}", "yellow")


def password_lines(generated: Mapping[str, Secret]) -> Iterator[Line]:
    """The passwords that were made now. They are stored nowhere but as hashes on the host."""
    if not generated:
        return
    yield Line("")
    yield Line("First passwords, shown this once:", "bold")
    width = max(len(address) for address in generated)
    for address, password in sorted(generated.items()):
        yield Line(f"  {address:<{width}}  {password.reveal()}")
    yield Line("")
