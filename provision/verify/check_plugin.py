"""The pytest plugin that gives the checks their hosts and turns their reports into outcomes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

import pytest

from provision.model.bundle import Bundle
from provision.model.fleet import Site
from provision.verify.outcome import Fault, NotTried, Outcome, Verdict
from provision.verify.remote_shell import ShellLost
from provision.verify.snapshot import Snapshot
from provision.verify.target import ReachedTarget

SUBJECTS: Mapping[str, Callable[[ReachedTarget], Iterable[Any]]] = {
    "package": lambda reached: reached.target.bundle.packages,
    "unit": lambda reached: [unit.name for unit in reached.target.bundle.units],
    "smarthost_site": lambda reached: [
        site for site in reached.target.sites if site.outgoing.smarthost
    ],
    "site": lambda reached: reached.target.sites,
}
"""What a check may ask for by name, to run once for each on every host."""


class CheckPlugin:
    """Fixtures and hooks of one run over ``targets``; each outcome goes to ``keep``."""

    def __init__(
        self,
        targets: Iterable[ReachedTarget],
        *,
        keep: Callable[[Outcome], None],
        probes: Future[None] | None = None,
    ) -> None:
        self._targets = tuple(targets)
        self._probes = probes
        self._keep = keep
        self.defects: list[str] = []
        """What pytest could not even collect."""

    @pytest.fixture
    def target(self, request: pytest.FixtureRequest) -> ReachedTarget:
        """The host that is checked."""
        reached: ReachedTarget = request.param
        return reached

    @pytest.fixture
    def host(self, target: ReachedTarget) -> Any:
        """The host as testinfra knows it."""
        return target.testinfra

    @pytest.fixture
    def snapshot(self, target: ReachedTarget) -> Snapshot:
        """What was seen of the host when the run began."""
        return target.snapshot

    @pytest.fixture
    def bundle(self, target: ReachedTarget) -> Bundle:
        """What the host should be."""
        return target.target.bundle

    @pytest.fixture
    def probes_done(self) -> None:
        """Waits until the probes over the wire have ended."""
        if self._probes is not None:
            self._probes.exception()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each check for every host, and for each subject on it that it names."""
        subject = next((name for name in SUBJECTS if name in metafunc.fixturenames), None)
        if subject is None:
            metafunc.parametrize("target", self._targets, indirect=True)
            return
        pairs = [(reached, one) for reached in self._targets for one in SUBJECTS[subject](reached)]
        metafunc.parametrize(("target", subject), pairs, indirect=["target"])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Function, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep an outcome for each check that ended, in its call or already in its setup.

        A check without a subject, as on a host without sites, is one placeholder that has none.
        """
        report = yield
        ended = call.when == "call" or call.excinfo is not None
        if ended and isinstance(item.callspec.params["target"], ReachedTarget):
            error = call.excinfo.value if call.excinfo else None
            self._keep(_outcome(item, error, call.duration))
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A check module that cannot be read is a defect of ours, never a pass."""
        if report.failed:
            self.defects.append(f"{report.nodeid}: {report.longreprtext}")


def check_name(function: Callable[..., Any]) -> str:
    """Stable identifier of a check: ``checks.units.unit_runs``."""
    module = function.__module__.rsplit(".", 1)[-1].removeprefix("test_")
    return f"checks.{module}.{function.__name__.removeprefix('test_')}"


def check_promise(function: Callable[..., Any]) -> str:
    """The sentence of a check: the first line of its docstring, with {subjects} in braces."""
    return (inspect.getdoc(function) or function.__name__).splitlines()[0].rstrip(".")


def _outcome(item: pytest.Function, error: BaseException | None, seconds: float) -> Outcome:
    values: dict[str, Any] = item.callspec.params
    reached: ReachedTarget = values["target"]
    site: Site | None = values.get("site") or values.get("smarthost_site")
    subjects = {
        name: value.domain.name if isinstance(value, Site) else str(value)
        for name, value in values.items()
        if name in SUBJECTS
    }
    verdict, what, hint, detail = _judged(error)
    return Outcome(
        name=check_name(item.function),
        promise=check_promise(item.function).format(**subjects),
        host=reached.name,
        site=site.domain.name if site else None,
        verdict=verdict,
        seconds=seconds,
        fault=what,
        hint=hint,
        detail=detail,
    )


def _judged(error: BaseException | None) -> tuple[Verdict, str, str, str]:
    match error:
        case None:
            return Verdict.PROVED, "", "", ""
        case Fault():
            return Verdict.FAULT, error.what, error.hint, error.detail
        case NotTried():
            return Verdict.NOT_TRIED, error.reason, "", ""
        case ShellLost():
            return Verdict.UNREACHABLE, str(error), "Is the host up? Run the command again.", ""
        case _:
            what = f"the check itself failed: {type(error).__name__}: {error}"
            return Verdict.FAULT, what, "Please report this as a defect of provision.", repr(error)
