"""Find the YAML files of a fleet folder: fleet.yml, and sites/ at any depth."""

from __future__ import annotations

import os
from pathlib import Path

from provision.spec.problem import Place, Problems

FLEET_FILE = "fleet.yml"
SITES_FOLDER = "sites"


def find_site_files(root: Path, problems: Problems) -> list[str]:
    """Paths below ``root`` of every site file, sorted; what looks like one but is not is reported.

    Hidden files and folders are left alone: editors keep their state in them.
    """
    sites = root / SITES_FOLDER
    if not sites.is_dir():
        problems.error(
            "sites-folder", Place(SITES_FOLDER), "there is no folder sites/",
            hint="make it, even if it is empty: a missing folder never means 'no sites'",
        )  # fmt: skip
        return []

    def unreadable(error: OSError) -> None:
        # Left out silently, its sites would count as taken out of the fleet.
        where = Path(str(error.filename)).relative_to(root)
        problems.error(
            "file-unreadable", Place(str(where)), f"cannot list {where}: {error.strerror}",
            hint="make the folder readable",
        )  # fmt: skip

    found: list[str] = []
    for folder, folders, files in os.walk(sites, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(folder).relative_to(root)
        for name in folders:
            if (Path(folder) / name).is_symlink():
                _refuse(here / name, "is a link to a folder, which is not followed", problems)
        found += [str(here / name) for name in files if _is_site(here / name, problems)]
    if not found and not problems.has_errors:
        problems.warn(
            "no-sites", Place(SITES_FOLDER), "there are no site files in sites/",
            hint="a site file ends in .yml",
        )  # fmt: skip
    return sorted(found)


def _is_site(path: Path, problems: Problems) -> bool:
    if path.name.startswith("."):
        return False
    if path.suffix.lower() in (".yaml", ".yml") and path.suffix != ".yml":
        _refuse(path, f"ends in {path.suffix}, which is not read", problems)
    return path.suffix == ".yml"


def _refuse(path: Path, reason: str, problems: Problems) -> None:
    hint = f"rename it to {path.with_suffix('.yml')}" if path.suffix else "put the files here"
    problems.error("site-file", Place(str(path)), f"{path} {reason}", hint=hint)
