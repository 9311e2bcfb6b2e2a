"""Sizes are read as Dovecot counts them and written as a person would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.model.amounts import Size


@pytest.mark.parametrize(
    ("written", "size"),
    [("1", 1), ("64K", 65536), ("500M", 524288000), ("2G", 2 * 1024**3), ("1T", 1024**4)],
)
def test_size_counts_in_powers_of_1024(written: str, size: int) -> None:
    assert Size.parse(written).bytes == size


@pytest.mark.parametrize("written", ["", "0", "2X", "-1G", "1.5G", "2 G", "2g", "9999T", "٣G"])
def test_size_refuses(written: str) -> None:
    with pytest.raises(ValueError, match="size"):
        Size.parse(written)


@given(st.integers(min_value=1, max_value=1024**5))
def test_size_survives_being_written(size: int) -> None:
    assert Size.parse(str(Size(size))).bytes == size
