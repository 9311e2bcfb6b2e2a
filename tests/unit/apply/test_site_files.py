"""Site files are rewritten where they are, and all of them or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.apply.site_files import SiteFiles
from provision.errors import Refused
from provision.spec.rewrite import Wish
from tests.unit.closed_fleet import closed_fleet

FILE = "sites/blue.example.yml"
QUOTA = ("mailboxes", "tiny", "quota")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A site file that lies elsewhere in the fleet folder, with a link among the others."""
    folder = closed_fleet(tmp_path)
    file, link = folder / "shared.yml", folder / FILE
    link.rename(file)
    link.symlink_to(file)
    file.chmod(0o640)
    return file


def test_link_stays_and_its_file_is_written(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    SiteFiles.of(folder, {"blue.example": [Wish(QUOTA, "3G")]}).write(None)
    assert (folder / FILE).is_symlink()
    assert "password: !secret blue/tiny, quota: 3G}" in shared.read_text()
    assert shared.stat().st_mode & 0o777 == 0o640
    assert not list(tmp_path.rglob("*.new"))


def test_nothing_is_written_that_makes_the_spec_invalid(shared: Path, tmp_path: Path) -> None:
    before = shared.read_text()
    files = SiteFiles.of(tmp_path / "fleet", {"blue.example": [Wish(QUOTA, "a lot")]})
    with pytest.raises(Refused, match="nothing was written"):
        files.write(None)
    assert shared.read_text() == before
