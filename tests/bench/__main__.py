"""Measure the promises by subject, and write the results down.

``python -m tests.bench`` measures everything, which takes some twenty minutes on a machine that
does nothing else; ``python -m tests.bench fleet`` a subject by name. The page and the JSON keep the
rows of subjects that were not measured.
"""

from __future__ import annotations

import argparse
import compileall
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.report import write_report
from tests.bench.stopwatch import Measured

ROOT = Path(__file__).resolve().parents[2]
SUBJECTS = {
    "demo": "tests.bench.demo",
    "playbook": "tests.bench.playbook",
    "fleet": "tests.bench.fleet",
    "scale": "tests.bench.scale",
}
"""Subject to the module whose ``measure()`` yields its rows, in the order of the page."""


def main(words: Sequence[str]) -> int:
    """Measure the chosen subjects; the exit code is 1 when a promise is not kept."""
    chosen = _chosen(words)
    # As an installed wheel has it; a checkout may have none (PYTHONDONTWRITEBYTECODE).
    compileall.compile_dir(ROOT / "provision", quiet=1)
    results = {name: _measure(name) for name in chosen}
    write_report(results, list(SUBJECTS), ROOT)
    return 0 if all(row.kept for rows in results.values() for row in rows) else 1


def _chosen(words: Sequence[str]) -> list[str]:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = ", ".join(SUBJECTS)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=names)
    given = parser.parse_args(words).subjects or list(SUBJECTS)
    if not set(given) <= {*SUBJECTS}:
        parser.error(f"the subjects are: {names}")
    return [name for name in SUBJECTS if name in given]


def _measure(name: str) -> list[Measured]:
    rows = []
    for row in importlib.import_module(SUBJECTS[name]).measure():
        rows.append(row)
        print(f"{row.promise}: {row.ours:.2f} {row.unit}, ratio {row.ratio:.2f}", flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
