"""How long a configuration was live that did not stay: seen on the host, file by file."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import ansible.module_utils

from provision.assets import playbooks_dir
from tests.lab.rehearsal import Rehearsal

_TREES = (
    "/etc/postfix /etc/dovecot /etc/nginx/nginx.conf /etc/nginx/provision /etc/provision"
    " /etc/systemd/system /etc/php"
)
_LOOK = (
    f"{{ find {_TREES} -type f -exec stat -c '%n %a %U %G' {{}} + ;"
    f" find {_TREES} -type f -exec sha256sum {{}} + ; }} | sort | sha256sum | cut -c-16"
)
_WATCH = f'while sleep 0.1; do echo "$(date +%s.%N) $({_LOOK})"; done > /run/watched'
_MARGIN = 15.0
"""Seconds for what is no proof: to write files, to call systemctl, on a busy machine."""


@dataclass
class Watch:
    """``seconds``: for how long at most the files were not as at the start."""

    seconds: float = -1.0


@contextmanager
def watched(rehearsal: Rehearsal) -> Iterator[Watch]:
    """Look at the host's configuration ten times a second; it must end as it began."""
    rehearsal.run(f"systemd-run --quiet --unit=watching sh -c {shlex.quote(_WATCH)}")
    watch = Watch()
    try:
        yield watch
    finally:
        rehearsal.run("sleep 0.5; systemctl stop watching.service")
    seen = [line.split() for line in rehearsal.run("cat /run/watched").splitlines()]
    looks = [(float(when), digest) for when, digest in (line for line in seen if len(line) == 2)]
    assert looks[-1][1] == looks[0][1], "the files are not as they were"
    watch.seconds = _longest(looks)


def _longest(looks: list[tuple[float, str]]) -> float:
    """From the last look before to the first one after; unseen, it was between two looks."""
    as_before = [when for when, digest in looks if digest == looks[0][1]]
    return max(after - before for before, after in pairwise(as_before))


def longest_proof(events: Path) -> float:
    """Seconds that the proof of an apply may take by its own limits, given what the apply moved."""
    folder = str(playbooks_dir() / "module_utils")
    if folder not in ansible.module_utils.__path__:
        ansible.module_utils.__path__.append(folder)
    from ansible.module_utils import provision_serving as serving  # noqa: PLC0415 - see above
    from ansible.module_utils import provision_units as units  # noqa: PLC0415

    told = [json.loads(line) for line in events.read_text().splitlines()]
    (summary,) = (event for event in told if event["type"] == "change_summary")
    each = units._SECONDS * len(summary["unit_actions"])
    return float(each + serving._SECONDS + serving._TRIES * serving._ANSWER_SECONDS + _MARGIN)
