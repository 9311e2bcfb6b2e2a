"""One apply at a time: the locks of all hosts of a run, taken before it and given back after it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from provision.apply.lock_wish import Wish
from provision.apply.outcome import HostOutcome, of_error
from provision.apply.request import Stamp
from provision.errors import HostUnreachable, ProvisionError, Refused
from provision.hosts.apply_lock import ApplyLock
from provision.hosts.connection import Connection
from provision.hosts.target import Target

Tell = Callable[[str], None]
"""Says a line to the person who waits."""


@dataclass(slots=True)
class Locks:
    """How it went with every host."""

    generations: dict[str, int] = field(default_factory=dict)
    """Host to the number of its generation at the moment when its lock was granted."""
    refusals: dict[str, HostOutcome] = field(default_factory=dict)
    """Host to why there is no lock: another apply, a hold, or no connection."""
    waited: set[str] = field(default_factory=set)
    """Hosts on which another was at work when we came."""

    def require_all(self) -> None:
        """Raise Refused, or HostUnreachable, when one of the hosts cannot be had."""
        for outcome in self.refusals.values():
            if outcome.word == "unreachable":
                raise HostUnreachable(outcome.message)
            hint = "; ".join(outcome.lines)
            raise Refused(f"{outcome.host}: {outcome.message}", hint=hint)


@contextmanager
def locked(
    targets: Sequence[Target], connection: Connection, stamp: Stamp, wish: Wish, tell: Tell
) -> Iterator[Locks]:
    """Hold the locks of these hosts for a block, asked for all at the same time.

    A host whose lock is refused does not keep the others from theirs. The kernel of each host frees
    its lock when this process ends in whatever way.
    """
    locks = Locks()
    request = _request(stamp, wish)
    held = {target.name: ApplyLock(target, connection, request) for target in targets}

    def on_wait(host: str, holder: Mapping[str, Any]) -> None:
        locks.waited.add(host)
        tell(f"{host}: waiting: {holder['words']}")

    try:
        for name, future in _ask_all(held, on_wait).items():
            if over := _note(locks, name, future):
                tell(f"{name}: {over}")
        yield locks
    finally:
        _all_at_once(held, ApplyLock.free)


def _ask_all(
    held: Mapping[str, ApplyLock], on_wait: Callable[[str, Mapping[str, Any]], None]
) -> dict[str, Future[Any]]:
    """Ask every host; on Ctrl-C the connections are closed, which ends the asking."""
    pool = ThreadPoolExecutor(max_workers=max(1, len(held)))
    try:
        futures = {name: pool.submit(lock.take, on_wait) for name, lock in held.items()}
        for future in futures.values():
            future.exception()
    except BaseException:
        _all_at_once(held, ApplyLock.free)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return futures


def _all_at_once(held: Mapping[str, ApplyLock], do: Callable[[ApplyLock], None]) -> None:
    with ThreadPoolExecutor(max_workers=max(1, len(held))) as pool:
        list(pool.map(do, held.values()))


def _note(locks: Locks, host: str, future: Future[Any]) -> str:
    """Keep how it went; returns what is told of a hold that was found to be over, this once."""
    try:
        told = future.result()
    except ProvisionError as error:
        locks.refusals[host] = of_error(host, error)
        return ""
    if told["event"] == "locked":
        locks.generations[host] = told["generation"]
        return str(told["hold_over"])
    locks.refusals[host] = refusal(host, told)
    return ""


def refusal(host: str, told: Mapping[str, Any]) -> HostOutcome:
    """The outcome of a host whose lock was refused: who has it, and what to do."""
    if told["reason"] == "hold":
        lines = (
            f"it ends at {told['hold']['until']}, or by: provision hold {host} --release",
            "by its own holder: add --during-my-hold",
        )
        return HostOutcome(host, "refused", told["hold"]["words"], lines)
    holder = told["holder"]
    advice = ["wait for it: add --lock-timeout 10m"]
    if holder["id"]:
        advice.append(f"if it is lost for good: provision unlock {host} {holder['id']}")
    return HostOutcome(host, "refused", holder["words"], tuple(advice))


def _request(stamp: Stamp, wish: Wish) -> dict[str, Any]:
    return {
        "id": stamp.id,
        "who": stamp.who,
        "commit": stamp.commit,
        "command": wish.command,
        "pid": os.getpid(),
        "job": _job(),
        "wait": wish.wait,
        "during_my_hold": wish.during_my_hold,
    }


def _job() -> str:
    """Address of the pipeline's job, where one runs this: its log says more."""
    environment = os.environ
    if "GITHUB_RUN_ID" in environment:
        server, repository = (
            environment.get(n, "") for n in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY")
        )
        return f"{server}/{repository}/actions/runs/{environment['GITHUB_RUN_ID']}"
    return environment.get("CI_JOB_URL") or environment.get("BUILD_URL", "")
