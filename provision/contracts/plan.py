"""The JSON Schema of a plan document: what ``plan --format json`` prints and ``-o`` saves.

Version 1.x only ever gains keys, so readers must let unknown ones pass; a key that is removed or
changes its meaning makes version 2.
"""

from __future__ import annotations

from provision.contracts.shapes import (
    COUNT,
    DIGEST,
    MOMENT,
    TEXT,
    TEXTS,
    TRUTH,
    Schema,
    about,
    array,
    document,
    keys,
    words,
)
from provision.plan.change import Action, Kind, Origin
from provision.plan.objection import Rule


def plan_schema() -> Schema:
    """The schema of a whole plan document."""
    return document("A plan of provision", **bound_plan())


def bound_plan() -> dict[str, Schema]:
    """The keys of a plan with all that it is bound to."""
    return {
        "program": about("Version of the program that made it.", TEXT),
        "created": about("When, UTC.", MOMENT),
        "created_by": about("Login and machine.", TEXT),
        "fleet": _fleet(),
        "unreached": about("Hosts that did not answer.", TEXTS),
        **bare_plan(),
    }


def bare_plan() -> dict[str, Schema]:
    """The keys of a plan by itself, as a rollback has it: made from no fleet folder."""
    return {
        "complete": about("False: it is not the plan of the whole fleet.", TRUTH),
        "partial": about("Why it is not complete, in words.", TEXTS),
        "hosts": array(_host()),
        "counts": keys(**{action.value: COUNT for action in Action}),
        "digest": about("SHA-256 over hosts: equal digests mean equal plans.", DIGEST),
    }


def _fleet() -> Schema:
    return keys(
        commit=about("Commit of the fleet folder; empty outside of git.", TEXT),
        dirty=about("The folder has changes that are not committed.", TRUTH),
        digest=about("SHA-256 of the fleet folder.", DIGEST),
        templates=about("SHA-256 of the program's templates and playbooks.", DIGEST),
    )


def _host() -> Schema:
    return keys(
        host=TEXT,
        generation=about("The host's generation; 0: it has none.", COUNT),
        basis=keys(
            desired=about(
                "SHA-256 of all that the host shall have; of a rollback: of the generation.", DIGEST
            ),
            manifest=about("SHA-256 of what its last apply left.", DIGEST),
            observed=about("SHA-256 of its managed files as found.", DIGEST),
        ),
        changes=array(_change()),
        unit_actions=array(keys(unit=TEXT, verb=words(["start", "reload", "restart"]), why=TEXTS)),
        objections=array(
            keys(
                rule=words(Rule),
                scope=about("Host, site or mailbox.", TEXT),
                message=TEXT,
                flag=about("Option of apply that lets it pass; empty: none.", TEXT),
            )
        ),
        stays=about("What left the spec and cannot leave the host, in words.", TEXTS),
        access=about("What touches access to the host, and is confirmed or taken back.", TEXTS),
    )


def _change() -> Schema:
    return keys(
        kind=words(kind.word for kind in Kind),
        name=TEXT,
        action=words(Action),
        detail=about("What is different, for people.", TEXT),
        diff=about("Unified diff of a file; empty where there is none to show.", TEXT),
        origin=about(
            "intent: the spec moved; drift: the host did.",
            words(Origin),
        ),
        note=about("What is worth knowing and may move by itself; in no digest.", TEXT),
    )
