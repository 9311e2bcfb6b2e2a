"""Promises about the code that no linter knows: sizes, words, imports at start-up."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "provision").rglob("*.py")) + sorted((ROOT / "playbooks").rglob("*.py"))
RENDERED = ROOT / "tests" / "golden" / "render"
TESTS = sorted(p for p in (ROOT / "tests").rglob("*.py") if not p.is_relative_to(RENDERED))
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplemented\w*)\b")
VAGUE = {"utils.py", "helpers.py", "manager.py", "base.py", "common.py", "misc.py"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", [*MODULES, *TESTS], ids=_name)
def test_module_fits_in_the_head(module: Path) -> None:
    text = module.read_text()
    assert len(text.splitlines()) <= 300, "split the module"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 50, f"split {node.name}, {length} lines"


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_module_says_what_it_is_for_and_is_finished(module: Path) -> None:
    text = module.read_text()
    assert ast.get_docstring(ast.parse(text)), "a module starts with one sentence"
    assert not UNFINISHED.search(text)
    assert module.name not in VAGUE


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = "import sys, provision.cli.main; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    heavy = {"paramiko", "jinja2", "pydantic", "rich", "ansible", "testinfra", "pytest", "yaml"}
    assert not heavy & set(loaded)
