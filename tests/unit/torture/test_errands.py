"""Every step is tried exactly once in every way, whoever tries it and however often one resumes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from provision.lab.breakpoint import Step
from tests.torture.errands import Errand, Key, Wishes, errands
from tests.torture.first import first_points
from tests.torture.specs import PLAYS

SWEEPS = ("kill", "power", "network")


def _steps(*names: str) -> tuple[Step, ...]:
    return tuple(Step(number, name) for number, name in enumerate(names, 1))


STEPS = {
    "A": _steps("write /var/lib/provision/generations/2/main.cf", "journal", "reload", "audit"),
    "B": _steps("write /var/lib/provision/generations/2/main.cf", "journal"),
    "first": _steps("bring the bundle"),
}
WAYS = Wishes(SWEEPS, has_first=False)


def _keys(found: list[Errand]) -> Counter[Key]:
    return Counter(target.key for errand in found for target in errand.targets)


def test_another_play_has_its_own_states() -> None:
    steps = {"C": STEPS["A"], "D": STEPS["B"]}
    found = errands(steps, replace(WAYS, play=PLAYS["access"]))
    assert {target.towards for errand in found for target in errand.targets} == {"C", "D"}
    assert all(e.there is None or e.there.towards == "D" for e in found)


def test_every_step_is_tried_once_for_every_disaster_in_both_directions() -> None:
    keys = _keys(errands(STEPS, WAYS))
    assert set(keys.values()) == {1}
    assert set(keys) == {
        (sweep, state, step.number, step.name)
        for sweep in SWEEPS
        for state in "AB"
        for step in STEPS[state]
    }


def test_the_longer_way_goes_on_alone_where_the_shorter_one_has_no_step_left() -> None:
    found = errands(STEPS, WAYS)
    assert [errand.there is None for errand in found] == [False] * 6 + [True] * 6
    assert all(e.back and e.back.towards == "A" and e.first is None for e in found)
    assert all(e.there is None or e.there.towards == "B" for e in found)


def test_what_is_live_comes_before_what_is_staged() -> None:
    names = [e.back.step.name for e in errands(STEPS, WAYS) if e.back and e.back.sweep == "kill"]
    assert names == ["journal", "reload", "audit", STEPS["A"][0].name]


def test_what_is_done_is_not_tried_again_and_the_rest_is_paired_anew() -> None:
    everything = errands(STEPS, WAYS)
    done = {errand.there.key for errand in everything[:4] if errand.there}
    left = errands(STEPS, WAYS, done)
    assert _keys(left) == _keys(everything) - Counter(done)
    assert left[0].there
    assert left[0].there.key not in done
    assert len(left) == len(everything)
    assert errands(STEPS, WAYS, set(_keys(everything))) == []


def test_one_way_tries_every_step_for_every_disaster_in_a_direction_that_has_it() -> None:
    keys = _keys(errands(STEPS, replace(WAYS, one_way=True)))
    assert set(keys.values()) == {1}
    assert sorted((sweep, step) for sweep, _, step, _ in keys) == sorted(
        (sweep, step.number) for sweep in SWEEPS for step in STEPS["A"]
    )
    assert {step for _, towards, step, _ in keys if towards == "B"} == {1, 2}
    assert len([key for key in keys if key[1] == "B"]) == 3


def test_one_way_knows_a_step_by_its_name_and_not_by_the_generation() -> None:
    far = _steps("write /var/lib/provision/generations/3/main.cf", "journal", "journal")
    near = _steps("journal", "write /var/lib/provision/generations/4/main.cf")
    found = errands({"A": near, "B": far}, replace(WAYS, one_way=True))
    assert sum(len(errand.targets) for errand in found) == 9


def test_ranks_and_every_choose_places_in_the_order_of_danger() -> None:
    few = errands(STEPS, replace(WAYS, sweeps=("kill",), ranks=slice(1, 4), every=2))
    assert [t.step.name for e in few for t in e.targets if t.towards == "A"] == [
        "reload",
        STEPS["A"][0].name,
    ]


def test_first_applies_come_last_and_alone() -> None:
    found = errands(STEPS, Wishes(("kill",)))
    firsts = [errand for errand in found if errand.first]
    assert found[-len(firsts) :] == firsts
    assert len(firsts) == len(list(first_points(("kill",))))
    assert firsts[3].first
    assert firsts[3].first.step == Step(1, "bring the bundle")
    assert all(errand.there is None and errand.back is None for errand in firsts)
