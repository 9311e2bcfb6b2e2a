"""Rewrite the pages that are made from the models (make docs)."""

from __future__ import annotations

from pathlib import Path

from provision.spec.reference import spec_reference

SPEC_PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "spec.md"

if __name__ == "__main__":
    SPEC_PAGE.write_text(spec_reference())
