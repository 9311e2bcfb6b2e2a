"""Write wishes into site files of a fleet folder: all of them, read again, or none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from provision.errors import Refused
from provision.spec.domain import parse_domain
from provision.spec.folder import find_site_files
from provision.spec.load import read_fleet
from provision.spec.problem import Problems
from provision.spec.rewrite import Wish, read_site, rewrite
from provision.spec.wrong import WrongError


@dataclass(frozen=True, slots=True)
class SiteFiles:
    """The files that change. ``changed``: path below the folder to its text before and after."""

    folder: Path
    changed: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, folder: Path, wishes: Mapping[str, Sequence[Wish]]) -> SiteFiles:
        """Work it out for ``wishes`` by site; nothing is written yet. Raises Refused."""
        changed = {}
        files = _files_of(folder, set(wishes))
        for site, wanted in sorted(wishes.items()):
            if site not in files:
                raise Refused(f"no site file of {site} was found")
            before = (folder / files[site]).read_text(encoding="utf-8")
            after = rewrite(before, wanted)
            if after != before:
                changed[files[site]] = (before, after)
        return cls(folder, changed)

    def write(self, vault_password_file: Path | None) -> None:
        """Write them; when the spec is invalid then, put them back and raise Refused."""
        for path, (_, after) in self.changed.items():
            _replace(self.folder / path, after)
        loaded = read_fleet(self.folder, vault_password_file)
        if loaded.fleet is None:
            for path, (before, _) in self.changed.items():
                _replace(self.folder / path, before)
            first = loaded.problems[0]
            raise Refused(
                f"the spec would be invalid, so nothing was written: {first.message}",
                hint=first.hint,
            )


def _files_of(folder: Path, sites: set[str]) -> dict[str, str]:
    found = {}
    for path in find_site_files(folder, Problems()):
        text = (folder / path).read_text(encoding="utf-8", errors="replace")
        try:
            site = parse_domain(read_site(text)).name
        except WrongError:
            continue
        if site in sites:
            found[site] = path
    return found


def _replace(path: Path, text: str) -> None:
    """In one step, with the mode that it had; a link stays one, and its file changes."""
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    os.chmod(temporary, path.stat().st_mode & 0o777)  # noqa: PTH101 - by the mode of the other
    temporary.replace(path)
