"""Interrupt applies at every step on labs of the demo fleet: ``make torture``.

Several workers, each with a lab of its own, share the points. Steps that touch what daemons read
come first, so that a sweep that is stopped early has tried the dangerous ones; the report is up to
date after every point, and ``--resume`` goes on from it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tests.lab.rehearsal import ROOT
from tests.torture.errands import Wishes
from tests.torture.gathering import Gathering
from tests.torture.report import Report
from tests.torture.specs import PLAYS
from tests.torture.sweeps import SWEEPS
from tests.torture.workers import workers


def main() -> int:
    """Run the sweeps that were asked for; the exit code is 1 when a point has a fault."""
    asked = _arguments()
    report = Report.resumed(asked.reports) if asked.resume else Report(asked.reports)
    wishes = Wishes(
        tuple(asked.sweeps.split(",")),
        asked.ranks,
        asked.every,
        one_way=asked.one_way,
        has_ways=not asked.first_only,
        has_first=not asked.without_first,
        play=PLAYS[asked.play],
    )
    deadline = time.monotonic() + asked.minutes * 60
    print(f"{asked.workers} workers boot their labs and learn the steps ...", flush=True)
    try:
        with workers(asked.workers, wishes) as crew:
            gathering = Gathering(wishes, report, deadline)
            gathering.run(crew)
    except KeyboardInterrupt:
        print("stopped; --resume goes on from here")
        return 130
    print("\n".join(report.table()))
    return 1 if report.faults or gathering.lost else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--sweeps", default=",".join(SWEEPS), help="kill, power, network")
    parser.add_argument("--every", type=int, default=1, help="only every Nth step")
    parser.add_argument(
        "--ranks", type=_span, default=_span("0-"), help="a part of the order of danger: 40-79"
    )
    parser.add_argument(
        "--play", choices=sorted(PLAYS), default="ordinary", help="what the apply changes"
    )
    parser.add_argument(
        "--one-way",
        action="store_true",
        help="try a step that both directions have in one of them",
    )
    parser.add_argument("--without-first", action="store_true", help="no first applies")
    parser.add_argument("--reports", type=Path, default=ROOT / "reports", help="where to report")
    parser.add_argument("--first-only", action="store_true", help="only the first apply")
    parser.add_argument("--minutes", type=float, default=1e6, help="start no point after these")
    parser.add_argument(
        "--workers", type=int, default=(os.cpu_count() or 1) + 1, help="labs at the same time"
    )
    parser.add_argument(
        "--resume", action="store_true", help="keep the report's good points of this very program"
    )
    return parser.parse_args()


def _span(text: str) -> slice:
    """Places of an order, the last included; without an end they go on to the end."""
    first, _, last = text.partition("-")
    return slice(int(first), int(last) + 1 if last else None)


if __name__ == "__main__":
    sys.exit(main())
