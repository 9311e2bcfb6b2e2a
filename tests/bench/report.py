"""Write measurements down: a page for people, JSON for machines, a section for each subject."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.stopwatch import Measured

Results = Mapping[str, Sequence[Measured]]
"""Subject to its rows."""
_HEAD = """# Benchmarks

Written by `make bench`. Each row is a ratio within one run: what we take, divided by what the peer
(or a limit of one second) takes on the same machine at the same time.
"""
_VERSION = 3
_SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def write_report(results: Results, subjects: Sequence[str], root: Path) -> None:
    """Print the tables, renew their sections of docs/benchmarks.md, write reports/bench.json."""
    page = root / "docs/benchmarks.md"
    page.write_text(renewed(page.read_text(), results, subjects))
    path = root / "reports/bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document(path, results), indent=1) + "\n")
    for rows in results.values():
        print(_table(rows))


def renewed(page: str, results: Results, subjects: Sequence[str]) -> str:
    """The page with these results; the sections of other subjects stay as they are."""
    sections = dict(_SECTION.findall(page))
    for name, rows in results.items():
        sections[name] = f"\nMachine: {_machine()}.\n\n{_table(rows)}"
    kept = (f"\n## {name}\n{sections[name].rstrip()}\n" for name in subjects if name in sections)
    return _HEAD + "".join(kept)


def document(path: Path, results: Results) -> dict[str, Any]:
    """These results as JSON values, with those of other subjects that ``path`` holds."""
    held = json.loads(path.read_text()) if path.exists() else {}
    subjects = held["subjects"] if held.get("version") == _VERSION else {}
    for name, of_subject in results.items():
        rows = [{**asdict(row), "ratio": row.ratio, "kept": row.kept} for row in of_subject]
        subjects[name] = {"machine": _machine(), "results": rows}
    return {"version": _VERSION, "subjects": subjects}


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(iter(re.findall(r"^model name\s*: (.*)$", _cpus(), re.MULTILINE)), "unknown")
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}"


def _cpus() -> str:
    return Path("/proc/cpuinfo").read_text()


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
