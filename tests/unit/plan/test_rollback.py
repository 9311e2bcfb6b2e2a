"""Going back: to which generation, and what that would change."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from provision.contracts.run import rollback_schema
from provision.errors import Refused
from provision.model.bundle import ManagedFile
from provision.plan.change import Action, Plan
from provision.plan.rollback import plan_rollback, target_of
from tests.contract_checks import strict
from tests.unit.plan.estate import KEY, MAIN, POSTFIX, reply
from tests.unit.plan.memories import file_state, generation, manifest, memory, text


def _target(generations: list[dict[str, Any]], wanted: int | None = None) -> int:
    current = generations[-1]["number"]
    remembered = memory({"generation": current}, generations=generations)
    return target_of("mail1", remembered, wanted)


def test_without_a_number_it_is_what_was_live_before() -> None:
    assert _target([generation(3), generation(4)]) == 3


def test_refused_and_interrupted_ones_in_between_were_never_live() -> None:
    generations = [generation(1), generation(2, outcome="refused"), generation(3, previous=1)]
    assert _target(generations) == 1


def test_going_back_twice_goes_back_further() -> None:
    back = generation(4, previous=3, rollback_of=2)
    assert _target([generation(1), generation(2), generation(3), back]) == 1


def test_going_back_from_a_rollback_of_a_rollback_is_not_a_circle() -> None:
    first = generation(4, previous=3, rollback_of=2)
    again = generation(5, previous=4, rollback_of=4)
    assert _target([generation(1), generation(2), generation(3), first, again]) == 1


def test_a_number_is_taken_as_it_is() -> None:
    assert _target([generation(2), generation(3), generation(4)], 2) == 2


@pytest.mark.parametrize(
    ("generations", "wanted", "words"),
    [
        ([generation(1)], None, "nothing is kept from before"),
        ([generation(3), generation(4, rollback_of=2)], None, "nothing is kept from before"),
        ([generation(4, rollback_of=4)], None, "nothing is kept from before"),
        ([generation(4)], None, "does not keep generation 3"),
        ([generation(4)], 9, "does not keep generation 9"),
        ([generation(3, outcome="refused"), generation(4)], 3, "never served: refused"),
        ([generation(3, outcome=""), generation(4)], 3, "never served: interrupted"),
    ],
)
def test_what_cannot_come_back_is_refused(
    generations: list[dict[str, Any]], wanted: int | None, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        _target(generations, wanted)


def test_bare_host_has_nothing_to_go_back_from() -> None:
    with pytest.raises(Refused, match="no generation"):
        target_of("mail1", memory({"generation": 0}, generations=[]), None)


def test_same_files_are_an_empty_plan() -> None:
    assert plan_rollback("mail1", memory()).is_empty


def test_differing_file_is_shown_from_now_to_then_with_its_unit() -> None:
    files = file_state(MAIN.path, b"relay = yes\n")
    plan = plan_rollback(
        "mail1", memory({"files": files}, contents={MAIN.path: text(MAIN.content)})
    )
    (change,) = plan.changes
    assert change.diff.splitlines()[-2:] == ["-relay = yes", "+relay = no"]
    (action,) = plan.unit_actions
    assert (action.unit, action.verb, action.why) == ("postfix.service", "reload", (MAIN.path,))


def test_secret_that_comes_back_is_not_shown() -> None:
    files = file_state(KEY.path, b"canary-new\n")
    plan = plan_rollback("mail1", memory({"files": files}))
    assert plan.changes[0].detail == "(secret changed)"
    assert "canary" not in repr(plan)


def test_mode_that_comes_back_is_told() -> None:
    files = file_state(MAIN.path, None, mode=0o666)
    (change,) = plan_rollback("mail1", memory({"files": files})).changes
    assert (change.detail, change.diff) == ("0666 root:root -> 0644 root:root", "")


def test_file_that_came_later_leaves_and_one_that_left_comes_back() -> None:
    later = ManagedFile("/etc/postfix/later.cf", b"x\n", activations=(POSTFIX,))
    entry = {**reply()["recorded"][MAIN.path], "sha256": later.sha256()}
    files = {KEY.path: reply()["files"][KEY.path], later.path: reply()["files"][MAIN.path]}
    recorded = {KEY.path: reply()["recorded"][KEY.path], later.path: entry}
    plan = plan_rollback(
        "mail1",
        memory({"files": files, "recorded": recorded}, contents={MAIN.path: text(MAIN.content)}),
    )
    assert [(c.name, c.action) for c in plan.changes] == [
        (later.path, Action.DELETE),
        (MAIN.path, Action.CREATE),
    ]
    assert plan.unit_actions[0].why == (later.path, MAIN.path)


def test_file_that_is_gone_already_does_not_leave_again() -> None:
    recorded = {**reply()["recorded"], "/etc/gone": reply()["recorded"][MAIN.path]}
    assert plan_rollback("mail1", memory({"recorded": recorded})).is_empty


def test_file_that_no_unit_reads_moves_none() -> None:
    quiet = {**reply()["recorded"][MAIN.path], "activations": [["postfix.service", 0]]}
    base = manifest(files={**reply()["recorded"], MAIN.path: quiet})
    files = file_state(MAIN.path, b"relay = yes\n")
    plan = plan_rollback("mail1", memory({"files": files}, base=base))
    assert plan.changes
    assert plan.unit_actions == ()


def test_unit_that_does_not_run_is_started() -> None:
    units = {**reply()["units"]}
    units["dovecot.service"] = {**units["dovecot.service"], "active": "failed"}
    (action,) = plan_rollback("mail1", memory({"units": units})).unit_actions
    assert (action.unit, action.verb) == ("dovecot.service", "start")


def test_generation_that_is_gone_is_refused() -> None:
    with pytest.raises(Refused, match="does not keep"):
        plan_rollback("mail1", memory(base=None))


def test_manifest_is_read_whole() -> None:
    base = memory(base=manifest(packages=["one"])).base
    assert base is not None
    assert (base.number, base.packages) == (4, ("one",))


def test_plan_is_bound_to_the_generation_and_to_the_host() -> None:
    before = plan_rollback("mail1", memory())
    schema = strict(rollback_schema()["properties"]["plan"])
    jsonschema.validate(Plan((before,)).as_json(), schema)
    others = [
        memory(base=manifest(generation=3)),
        memory(base=manifest(packages=["one"])),
        memory({"generation": 5}),
        memory({"files": file_state(MAIN.path, None, mode=0o600)}),
    ]
    digests = {plan_rollback("mail1", each).digest() for each in others}
    assert len(digests | {before.digest()}) == 5
