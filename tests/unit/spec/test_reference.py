"""The reference page of every key is the one that the models make."""

from __future__ import annotations

import re
from pathlib import Path

from provision.spec.reference import spec_reference
from provision.spec.schema import json_schema

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "spec.md"


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text() == spec_reference(), "run: make docs"


def test_page_names_every_key_of_every_model() -> None:
    page = spec_reference()
    for kind in ("fleet", "site"):
        schema = json_schema(kind)
        for part in (schema, *schema["$defs"].values()):
            for key in part["properties"]:
                assert re.search(rf"^\| `{key}` \|", page, re.MULTILINE)
