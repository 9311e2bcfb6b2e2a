"""Programs of the tests that run on the mail host, with the host's own modules beside them."""

from __future__ import annotations

from pathlib import Path

from provision.assets import playbooks_dir
from tests.lab.rehearsal import HOST, Rehearsal

_FOLDER = "/root/programs"
_MODULES = f"{_FOLDER}/ansible/module_utils"
_PROGRAMS = Path(__file__).parent / "on_host"


def run_there(rehearsal: Rehearsal, program: str, *words: str, stdin: str = "") -> str:
    """Run ``on_host/PROGRAM.py`` on the mail host; its standard output. Leaves nothing behind."""
    rehearsal.run(f"mkdir -p {_MODULES} {_FOLDER}/on_host")
    sources = {f"{_MODULES}/{p.name}": p for p in (playbooks_dir() / "module_utils").glob("*.py")}
    sources[f"{_FOLDER}/on_host/{program}.py"] = _PROGRAMS / f"{program}.py"
    for path, source in sources.items():
        rehearsal.lab.run(HOST, ["sh", "-c", 'cat > "$0"', path], stdin=source.read_text())
    argv = ["env", "-C", _FOLDER, "python3", "-m", f"on_host.{program}", *words]
    try:
        return rehearsal.lab.run(HOST, argv, stdin=stdin).stdout
    finally:
        rehearsal.run(f"rm -r {_FOLDER}")
