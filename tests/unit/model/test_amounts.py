"""Sizes are read as Dovecot counts them and written as a person would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.model.amounts import Duration, Size


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


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0B"), (1023, "1023B"), (1536, "1.5K"), (20 * 1024**2, "20M"), (1288490189, "1.2G")],
)
def test_size_for_people_has_two_digits(size: int, words: str) -> None:
    assert Size(size).about() == words


@pytest.mark.parametrize(
    ("written", "seconds", "words"),
    [
        ("30d", 2592000, "30 days"),
        ("2w", 1209600, "14 days"),
        ("1h", 3600, "1 hour"),
        ("90m", 5400, "90 minutes"),
        ("61s", 61, "61 seconds"),
    ],
)
def test_duration_is_seconds_and_words(written: str, seconds: int, words: str) -> None:
    duration = Duration.parse(written)
    assert (duration.seconds, duration.words()) == (seconds, words)
    assert Duration.parse(str(duration)) == duration


@pytest.mark.parametrize("written", ["", "0d", "30", "d", "1.5d", "30 d", "30D", "-1d", "9999w"])
def test_duration_refuses(written: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        Duration.parse(written)
