"""The programs that look at a host, put together from our own modules and scripts.

They travel on standard input, and change nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock

from provision.assets import playbooks_dir

_FOLDER = Path(__file__).parent
_ONE_PARSES = Lock()
"""Hosts are asked in threads, and before Python 3.11.8 those that parse at once may fail: each
counts on the other's depth (SystemError, python/cpython#106905)."""


def observer(request: str, *, thorough: bool = False) -> bytes:
    """The program that looks at a host: the observer, the modules it reads with, the question."""
    recall = "" if thorough else "seen.MEMORY.recall(seen.FOLDER)\n"
    question = f"look.answer(json.loads({request!r}), store, archive, leaving, short.complete)"
    # Thousands of files and sites answer in megabytes, nearly all of which repeats itself.
    return (
        f"{looking()}import zlib\n"
        f"quick = {_beside('glance_script')}\n"
        f"marks = quick.standing(seen, holder)\n{recall}told = {question}\n"
        "text = quick.glance(marks, told.get('units')) + '\\n' + json.dumps(look.in_short(told))\n"
        "sys.stdout.buffer.write(zlib.compress(text.encode(), 1))\n"
    ).encode()


def glance(units: Sequence[str]) -> bytes:
    """The program that says by one digest whether a host is as it was; small, for it runs often."""
    return (
        f"{_text('loading_script')}\n"
        f"units = {_beside('units_script')}.Units({list(units)!r})\n"
        f"seen = {_loading('provision_seen')}\n"
        f"quick = {_beside('glance_script')}\n"
        f"holder = {_loading('provision_holder')}\n"
        "sys.stdout.write(quick.glance(quick.standing(seen, holder), units.answer()))\n"
    ).encode()


def looking() -> str:
    """The observer with ``store``, ``archive`` and ``leaving``: it asks nothing yet.

    What only a difference needs is loaded then.
    """
    return (
        f"{_text('loading_script')}\nimport gc, json\ngc.set_threshold(100_000, 50, 100)\n"
        f"look = {_beside('observer_script')}\n"
        f"short = {_beside('observer_base')}\n"
        f"{_beside('units_script')}\n"
        f"{_loading('provision_steps')}\n"
        f"seen = {_loading('provision_seen')}\n"
        f"store = {_loading('provision_account_store')}\n"
        f"holder = {_loading('provision_holder')}\n"
        f"archive = lambda: {_loading('provision_account_archive')}\n"
        f"leaving = {_beside('leaving_script')}\n"
        f"leaving.load_removal = lambda: ({_loading('provision_commands')},"
        f" {_loading('provision_removal')})[1]\n"
    )


def _loading(name: str) -> str:
    """The expression that makes one of the host's modules there."""
    source = (playbooks_dir() / "module_utils" / f"{name}.py").read_text()
    return f"load_module({name!r}, {_without_docs(source)!r})"


def _beside(name: str) -> str:
    """The same for one of the scripts in this folder."""
    return f"load_module({name!r}, {_without_docs(_text(name))!r})"


def _text(name: str) -> str:
    return (_FOLDER / f"{name}.py").read_text()


def _without_docs(source: str) -> str:
    """The same program without its docstrings, every line where it was: they need not travel."""
    with _ONE_PARSES:
        return _stripped(source)


@cache
def _stripped(source: str) -> str:
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            lines[first] = lines[first][: node.col_offset] + '""'
            lines[first + 1 : last + 1] = [""] * (last - first)
    return "\n".join(lines)
