"""The programs that look at hosts are put together by many threads at once."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from provision.hosts import observer_program


class _Garbage:
    """What a collection ends with some Python code, within which threads may take turns."""

    def __init__(self) -> None:
        self.circle = self

    def __del__(self) -> None:
        sum(range(50))


@pytest.fixture
def busy() -> Iterator[None]:
    """Collect and change threads as often as a long run of many hosts does once."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(20, 2, 2)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)


def test_threads_that_begin_at_once_get_the_same_program(busy: None) -> None:
    def put_together(_number: int) -> str:
        for _ in range(20):
            _Garbage()
        return observer_program.looking()

    for _ in range(20):
        observer_program._stripped.cache_clear()
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(put_together, range(8)))) == 1
