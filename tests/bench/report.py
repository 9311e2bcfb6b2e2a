"""Write measurements down: a table for people, JSON for machines."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench.stopwatch import Measured


def write_report(results: Sequence[Measured], root: Path) -> None:
    """Print the table and write docs/benchmarks.md and reports/bench.json."""
    page = f"{_HEAD}\nMachine: {_machine()}.\n\n{_table(results)}"
    (root / "docs/benchmarks.md").write_text(page)
    reports = root / "reports"
    reports.mkdir(exist_ok=True)
    rows = [{**asdict(result), "ratio": result.ratio, "kept": result.kept} for result in results]
    document = {"version": 1, "machine": _machine(), "results": rows}
    (reports / "bench.json").write_text(json.dumps(document, indent=1) + "\n")
    print(_table(results))


_HEAD = """# Benchmarks

Written by `make bench`. Each row is a ratio within one run: what we take, divided by what the peer
(or a limit of one second) takes on the same machine at the same time.
"""


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}"


def _table(results: Sequence[Measured]) -> str:
    lines = [
        "| promise | ours, s | theirs, s | against | ratio | at most | kept |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.promise} | {r.ours:.2f} | {r.theirs:.2f} | {r.against} | {r.ratio:.2f} | {r.bound}"
        f" | {'yes' if r.kept else 'NO'} |"
        for r in results
    ]
    return "\n".join(lines) + "\n"
