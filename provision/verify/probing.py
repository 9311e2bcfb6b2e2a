"""Run the probes: lines in parallel threads, each probe's end kept as an outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from provision.verify.outcome import Fault, NotTried, Outcome, Verdict
from provision.verify.probes.catalogue import (
    HOST_LINES,
    LAST_HOST_LINES,
    HostProbe,
    SiteProbe,
    probe_name,
    probe_promise,
    site_lines,
)
from provision.verify.probes.line import Line
from provision.verify.probes.place import HostPlace, SitePlace

_THREADS = 24

P = TypeVar("P", HostPlace, Line)
Keep = Callable[[Outcome], None]
"""Takes each outcome as it comes; called from several threads."""


def run_probes(places: Sequence[HostPlace], keep: Keep) -> None:
    """Probe every host and its sites; returns when all have ended."""
    with ThreadPoolExecutor(_THREADS) as pool:
        running = [
            pool.submit(_run_host_line, place, line, keep)
            for place in places
            for line in HOST_LINES
        ]
        running += [
            pool.submit(_run_site_line, site, line, keep)
            for place in places
            for site in place.sites
            for line in site_lines(site)
        ]
        for future in running:
            future.result()
        running = [
            pool.submit(_run_host_line, place, line, keep)
            for place in places
            if place.sites
            for line in LAST_HOST_LINES
        ]
        for future in running:
            future.result()


def _run_host_line(place: HostPlace, line: Iterable[HostProbe], keep: Keep) -> None:
    for probe in line:
        keep(_outcome(probe, place, place.host.name, None))


def _run_site_line(place: SitePlace, probes: Iterable[SiteProbe], keep: Keep) -> None:
    line = Line(place)
    for probe in probes:
        outcome = _outcome(probe, line, place.host.name, place.site.domain.name)
        if outcome.verdict is not Verdict.PROVED:
            line.drop()
        keep(outcome)
    line.drop()


def _outcome(probe: Callable[[P], None], place: P, host: str, site: str | None) -> Outcome:
    began = time.monotonic()
    verdict, what, hint, detail = _tried(probe, place)
    return Outcome(
        name=probe_name(probe),
        promise=probe_promise(probe).format(site=site),
        host=host,
        site=site,
        verdict=verdict,
        seconds=time.monotonic() - began,
        fault=what,
        hint=hint,
        detail=detail,
    )


def _tried(probe: Callable[[P], None], place: P) -> tuple[Verdict, str, str, str]:
    try:
        probe(place)
    except Fault as fault:
        return Verdict.FAULT, fault.what, fault.hint, fault.detail
    except NotTried as reason:
        return Verdict.NOT_TRIED, reason.reason, "", ""
    except Exception as error:  # noqa: BLE001 - one probe's defect must not end the others
        what = f"the probe itself failed: {type(error).__name__}: {error}"
        return Verdict.FAULT, what, "Please report this as a defect of provision.", repr(error)
    return Verdict.PROVED, "", "", ""
