"""What is built once is whole, and built once."""

import threading
from pathlib import Path

import pytest

from provision.lab.cache import built_once, key_of


def test_equal_recipes_have_equal_names() -> None:
    assert key_of({"a": 1, "b": ["x"]}) == key_of({"b": ["x"], "a": 1})
    assert key_of(["x"]) != key_of(["y"])


def test_two_that_ask_at_once_get_one_build(tmp_path: Path) -> None:
    built: list[Path] = []
    both_ask = threading.Barrier(2)

    def build(scratch: Path) -> None:
        built.append(scratch)
        (scratch / "content").write_text("whole")

    def ask() -> None:
        both_ask.wait()
        built_once(tmp_path / "thing", build)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert (tmp_path / "thing/content").read_text() == "whole"


def test_failed_build_leaves_nothing_and_the_next_one_succeeds(tmp_path: Path) -> None:
    def fail(scratch: Path) -> None:
        (scratch / "half").touch()
        raise OSError("mirror is down")

    with pytest.raises(OSError, match="mirror is down"):
        built_once(tmp_path / "thing", fail)
    assert not (tmp_path / "thing").exists()
    assert built_once(tmp_path / "thing", lambda scratch: None).is_dir()
    assert not (tmp_path / "thing/half").exists()
