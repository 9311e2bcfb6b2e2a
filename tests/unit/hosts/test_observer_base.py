"""A short question means on the host exactly what the long one says, or is refused there."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from provision.hosts.observer_base import complete
from provision.plan import request as request_module
from provision.plan.request import SHORT, short_request

PATHS = st.sampled_from([f"/etc/{name}" for name in "abcdef"])
SITES = st.sampled_from([f"{name}.example" for name in "abcd"])
QUESTIONS = st.fixed_dictionaries(
    {
        "files": st.dictionaries(PATHS, st.tuples(st.text("01", min_size=1), st.booleans())),
        "directories": st.dictionaries(PATHS, st.booleans()),
        "accounts": st.dictionaries(SITES, st.text("01", min_size=1)),
        "units": st.just(["postfix.service"]),
    }
)


def _text(question: dict[str, Any]) -> str:
    """As `observation_request` writes it: sorted by path and site."""
    ordered = {
        k: dict(sorted(v.items())) if isinstance(v, dict) else v for k, v in question.items()
    }
    return json.dumps(ordered, separators=(",", ":"))


def _manifest(question: dict[str, Any]) -> dict[str, Any]:
    """What a host has written down that has all that the question asks for."""
    files = {
        path: {"sha256": digest, "secret": secret, "mode": 0o644}
        for path, (digest, secret) in question["files"].items()
    }
    folders = {
        path: [0o755, "root", "root", ours] for path, ours in question["directories"].items()
    }
    return {"files": files, "directories": folders}


def _asked(short: str, has: dict[str, Any]) -> dict[str, Any] | None:
    """What a host that has all of ``has`` takes the question for; None: it wants the long one."""
    request: dict[str, Any] = json.loads(short)
    if not complete(request, _manifest(has), has["accounts"]):
        return None
    del request["bases"]
    return request


@settings(deadline=None)
@given(wanted=QUESTIONS, base=QUESTIONS, other=QUESTIONS)
def test_short_question_means_the_long_one(
    wanted: dict[str, Any], base: dict[str, Any], other: dict[str, Any]
) -> None:
    short = _short(_text(wanted), _text(base))
    for has in (base, wanted):
        asked = _asked(short, has)
        assert asked == json.loads(_text(wanted))
        assert asked is not None
        assert json.dumps([asked[key] for key in ("files", "directories", "accounts")]) == (
            json.dumps(
                [json.loads(_text(wanted))[key] for key in ("files", "directories", "accounts")]
            )
        )
    assert _asked(short, other) in (None, json.loads(_text(wanted)))


def _short(request: str, base: str) -> str:
    before, request_module.SHORT = request_module.SHORT, 0
    try:
        return short_request(request, base)
    finally:
        request_module.SHORT = before


def test_question_of_a_small_host_is_asked_as_it_is() -> None:
    assert short_request('{"files":{}}', "") == '{"files":{}}'


def test_long_question_becomes_a_short_one() -> None:
    files = {f"/etc/file{number}": ["0" * 64, False] for number in range(1000)}
    base = _text({"files": files, "directories": {}, "accounts": {}, "units": []})
    changed = _text(
        {"files": {**files, "/etc/file7": ["1" * 64, False]}, "directories": {}, "accounts": {},
         "units": []}
    )  # fmt: skip
    assert len(changed) > SHORT
    assert len(short_request(changed, base)) < 500
