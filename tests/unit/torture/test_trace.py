"""The judge of traces sees each order that a power cut could spoil, and no fault in a good one."""

from __future__ import annotations

import pytest

from tests.torture.trace import judge_trace

GOOD = """\
7 execve("/usr/bin/python3", ["/usr/bin/python3"], 0x7f /* 9 vars */) = 0
7 openat(4</etc/postfix>, ".provision-0123456789abcdef", O_WRONLY|O_CREAT|O_EXCL, 0600) = 5</etc/postfix/.provision-0123456789abcdef>
7 write(5</etc/postfix/.provision-0123456789abcdef>, "x = y\\n", 6) = 6
8 write(1<pipe:[1]>, "other"..., 5 <unfinished ...>
7 fsync(5</etc/postfix/.provision-0123456789abcdef>) = 0
7 renameat(4</etc/postfix>, ".provision-0123456789abcdef", 4</etc/postfix>, "main.cf") = 0
8 <... write resumed>) = 5
7 fsync(4</etc/postfix>) = 0
7 unlinkat(4</etc/postfix>, "old.cf", 0) = 0
7 fsync(4</etc/postfix>) = 0
7 rename("/var/lib/provision/.a.new", "/var/lib/provision/a") = 0
7 fsync(3</var/lib/provision>) = 0
"""  # noqa: E501 - lines of strace
LINES = GOOD.splitlines()


def test_good_order_has_no_fault() -> None:
    verdict = judge_trace(LINES)
    assert verdict.faults == []
    assert verdict.renamed == ["/etc/postfix/main.cf", "/var/lib/provision/a"]


@pytest.mark.parametrize(
    ("missing", "fault"),
    [
        (4, "/etc/postfix/main.cf takes its name before its bytes are synced"),
        (7, "/etc/postfix/main.cf: /etc/postfix is not synced after it"),
        (9, "/etc/postfix/old.cf: /etc/postfix is not synced after it"),
        (11, "/var/lib/provision/a: /var/lib/provision is not synced after it"),
    ],
)
def test_missing_sync_is_a_fault(missing: int, fault: str) -> None:
    assert "fsync" in LINES[missing]
    assert judge_trace(LINES[:missing] + LINES[missing + 1 :]).faults == [fault]


def test_sync_that_failed_is_none() -> None:
    failed = [line.replace("= 0", "= -1 EIO (Input/output error)") for line in LINES[4:5]]
    assert judge_trace([*LINES[:4], *failed, *LINES[5:]]).faults != []


def test_bytes_after_the_sync_count() -> None:
    assert judge_trace([*LINES[:5], LINES[2], *LINES[5:]]).faults != []


MAP = """\
9 execve("/usr/sbin/postmap", ["postmap"], 0x7f /* 9 vars */) = 0
9 write(5</etc/postfix/m.cdb.tmp>, "map", 3) = 3
9 rename("/etc/postfix/m.cdb.tmp", "/etc/postfix/m.cdb") = 0
7 fsync(6</etc/postfix/m.cdb>) = 0
7 rename("/etc/postfix/m.cdb", "/etc/postfix/live.cdb") = 0
7 fsync(4</etc/postfix>) = 0
""".splitlines()


def test_what_another_program_has_written_is_synced_before_it_gets_its_name() -> None:
    assert judge_trace([*LINES, *MAP]).faults == []
    fault = "/etc/postfix/live.cdb takes its name before its bytes are synced"
    assert judge_trace([*LINES, *MAP[:3], *MAP[4:]]).faults == [fault]
    own = MAP[3].replace("7 ", "9 ")
    assert judge_trace([*LINES, *MAP[:3], own, *MAP[4:]]).faults == []


def test_programs_of_others_keep_their_own_order() -> None:
    others = [line.replace("python3", "dpkg") for line in LINES]
    assert judge_trace(others).renamed == []
