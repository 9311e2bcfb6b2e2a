"""Write measurements down: a page for people, JSON for machines, a section for each subject."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench.stopwatch import Measured

Results = Mapping[str, Sequence[Measured]]
"""Subject to its rows."""
_HEAD = """# Benchmarks

Written by `make bench`. Each row is a ratio within one run: what we take, divided by what the peer
(or a limit of one second) takes on the same machine at the same time.
"""
_SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def write_report(results: Results, subjects: Sequence[str], root: Path) -> None:
    """Print the tables, renew their sections of docs/benchmarks.md, write reports/bench.json."""
    page = root / "docs/benchmarks.md"
    page.write_text(renewed(page.read_text(), results, subjects))
    reports = root / "reports"
    reports.mkdir(exist_ok=True)
    (reports / "bench.json").write_text(json.dumps(_document(results), indent=1) + "\n")
    for rows in results.values():
        print(_table(rows))


def renewed(page: str, results: Results, subjects: Sequence[str]) -> str:
    """The page with these results; the sections of other subjects stay as they are."""
    sections = dict(_SECTION.findall(page))
    for name, rows in results.items():
        sections[name] = f"\nMachine: {_machine()}.\n\n{_table(rows)}"
    kept = (f"\n## {name}\n{sections[name].rstrip()}\n" for name in subjects if name in sections)
    return _HEAD + "".join(kept)


def _document(results: Results) -> object:
    rows = [
        {"subject": name, **asdict(row), "ratio": row.ratio, "kept": row.kept}
        for name, of_subject in results.items()
        for row in of_subject
    ]
    return {"version": 2, "machine": _machine(), "results": rows}


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}"


def _table(results: Sequence[Measured]) -> str:
    lines = [
        "| promise | ours | theirs | against | ratio | at most | kept | memory, MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(row) for row in results]
    return "\n".join(lines) + "\n"


def _row(row: Measured) -> str:
    bound = "" if row.bound is None else f"{row.bound:g}"
    kept = "" if row.bound is None else ("yes" if row.kept else "NO")
    memory = f"{row.peak_mib:.0f}" if row.peak_mib else ""
    taken = f"{row.ours:.2f} {row.unit} | {row.theirs:.2f} {row.unit} | {row.against}"
    return f"| {row.promise} | {taken} | {row.ratio:.2f} | {bound} | {kept} | {memory} |"
