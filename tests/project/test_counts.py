"""Numbers that pages tell are those of the tests that they are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.verify_faults import SEEDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("page", ["CHANGELOG.md", "docs/reference/verify.md"])
def test_seeded_faults_are_counted(page: str) -> None:
    words = " ".join((ROOT / page).read_text().split())
    assert f" {len(SEEDS)} seeded faults" in words or f"seeds {len(SEEDS)} faults" in words
