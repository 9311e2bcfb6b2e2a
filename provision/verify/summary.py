"""The report as people read it: per host and site what was proved, and each fault with a hint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from provision.verify.outcome import Outcome, Verdict
from provision.verify.report import Report

_MARK = {
    Verdict.PROVED: ("✓", "green"),
    Verdict.FAULT: ("✗", "red"),
    Verdict.NOT_TRIED: ("-", "yellow"),
    Verdict.UNREACHABLE: ("✗", "red"),
}


def print_summary(report: Report, console: Console, *, verbose: bool) -> None:
    """Print a line for each host and site and its faults; with ``verbose`` every promise."""
    for host, of_host in groupby(report.outcomes, key=lambda one: one.host):
        console.print(f"[bold]{escape(host)}[/]")
        for site, outcomes in groupby(of_host, key=lambda one: one.site):
            _print_group(console, site, list(outcomes), verbose=verbose)
    console.print(_last_line(report))


def _print_group(
    console: Console, site: str | None, outcomes: list[Outcome], *, verbose: bool
) -> None:
    counts = {verdict: sum(one.verdict is verdict for one in outcomes) for verdict in Verdict}
    bad = len(outcomes) - counts[Verdict.PROVED]
    mark, colour = _MARK[Verdict.FAULT if bad else Verdict.PROVED]
    about = f"site {site}" if site else "the host itself"
    line = f"  [{colour}]{mark}[/] {escape(about):<32} {counts[Verdict.PROVED]:>3} proved"
    if counts[Verdict.FAULT] or counts[Verdict.UNREACHABLE]:
        line += f", [red]{counts[Verdict.FAULT] + counts[Verdict.UNREACHABLE]} faults[/]"
    if counts[Verdict.NOT_TRIED]:
        line += f", [yellow]{counts[Verdict.NOT_TRIED]} not tried[/]"
    console.print(line)
    for one in outcomes:
        if verbose or one.verdict is not Verdict.PROVED:
            _print_outcome(console, one, verbose=verbose)


def _print_outcome(console: Console, one: Outcome, *, verbose: bool) -> None:
    mark, colour = _MARK[one.verdict]
    console.print(f"      [{colour}]{mark}[/] {escape(one.promise)}", soft_wrap=True)
    for label, text in _explanations(one, verbose=verbose):
        console.print(Padding(Text.assemble((label, "dim"), text), (0, 0, 0, 8)))


def _explanations(one: Outcome, *, verbose: bool) -> Iterator[tuple[str, str]]:
    if one.fault:
        yield "found: " if one.verdict is not Verdict.NOT_TRIED else "why:   ", one.fault
    if one.hint:
        yield "hint:  ", one.hint
    if one.verdict is Verdict.FAULT:
        yield "check: ", one.name
    if verbose and one.detail:
        yield "", one.detail


def _last_line(report: Report) -> str:
    hosts, sites = _distinct(report.outcomes)
    proved = len(report.with_verdict(Verdict.PROVED))
    where = f"on {_count(hosts, 'host')} and {_count(sites, 'site')} in {report.seconds:.1f} s"
    bad = len(report.outcomes) - proved
    if not report.outcomes:
        return "[red]Nothing was tried.[/]"
    if not bad:
        return f"[green]Verified:[/] {_count(proved, 'promise')} proved {where}."
    return f"[red]Not verified:[/] {bad} of {_count(len(report.outcomes), 'promise')} {where}."


def _distinct(outcomes: Iterable[Outcome]) -> tuple[int, int]:
    outcomes = list(outcomes)
    return len({one.host for one in outcomes}), len({one.site for one in outcomes if one.site})


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")
