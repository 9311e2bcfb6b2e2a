"""Ask hosts what they remember: generations, and how one of them differs from what is live."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.observe import ask, on_each, parse_reply
from provision.hosts.observer_program import looking
from provision.hosts.target import Target
from provision.plan.generations import Memory

_SCRIPT = Path(__file__).with_name("generations_script.py")


def recall(
    targets: Sequence[Target],
    connection: Connection,
    *,
    against: Mapping[str, int] | None = None,
    contents: bool = False,
) -> tuple[dict[str, Memory], dict[str, ProvisionError]]:
    """Ask every target at the same time, one round trip each: answers and failures by host name.

    ``against``: by host name, the generation to compare what is live with; without, the current.
    """

    def reach(target: Target) -> bytes:
        question = {"against": (against or {}).get(target.name), "contents": contents}
        return ask(target, connection, _program(json.dumps(question)))

    def read(target: Target, reply: bytes) -> Memory:
        return Memory.parse(parse_reply(target, reply))

    return on_each(targets, reach, read)


def _program(question: str) -> bytes:
    past = _SCRIPT.read_text()
    return (
        f"{looking()}"
        f"past = load_module('generations_script', {past!r})\n"
        f"told = past.answer(json.loads({question!r}), look, store)\n"
        "print(json.dumps(told))\n"
    ).encode()
