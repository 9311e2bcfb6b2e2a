"""Problems for people: what, where, the line itself with a caret, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provision.spec.characters import visible
from provision.spec.problem import Place, Problem, Severity
from provision.spec.quotes import Quotes

MOST_SHOWN = 500
Paint = Callable[[str, str], str]
_COLORS = {"error": "1;31", "warning": "1;33", "dim": "2", "hint": "36", "bold": "1"}


def text_report(problems: Sequence[Problem], quotes: Quotes, *, color: bool = False) -> str:
    """All problems, each with its line, and a sum at the end; "" when there are none."""
    if not problems:
        return ""
    paint = _paint if color else _leave
    blocks = [_block(problem, quotes, paint) for problem in problems[:MOST_SHOWN]]
    if len(problems) > MOST_SHOWN:
        blocks.append(f"... and {len(problems) - MOST_SHOWN} more (--format json has all)\n")
    return "\n".join([*blocks, paint(summary(problems), "bold") + "\n"])


def summary(problems: Sequence[Problem]) -> str:
    """As in ``3 errors and 1 warning in 2 files``."""
    counts = []
    for severity in Severity:
        number = sum(problem.severity is severity for problem in problems)
        if number:
            counts.append(f"{number} {severity}{'s' if number > 1 else ''}")
    files = len({problem.place.file for problem in problems})
    return f"{' and '.join(counts)} in {files} file{'s' if files > 1 else ''}"


def _block(problem: Problem, quotes: Quotes, paint: Paint) -> str:
    message = visible(quotes.mask(problem.message))
    lines = [
        f"{paint(problem.severity, problem.severity)}: {paint(message, 'bold')}",
        *_quoted(problem.place, quotes, paint, problem.severity),
    ]
    for note in problem.notes:
        lines.append(f"  {paint('note:', 'dim')} {visible(quotes.mask(note.message))}")
        lines += _quoted(note.place, quotes, paint, "dim")
    if problem.hint:
        lines.append(f"  {paint('hint:', 'hint')} {visible(quotes.mask(problem.hint))}")
    return "\n".join(lines) + "\n"


def _quoted(place: Place, quotes: Quotes, paint: Paint, mark: str) -> list[str]:
    lines = [f"  {paint('-->', 'dim')} {visible(str(place))}"]
    quote = quotes.quote(place)
    if quote is not None:
        number = str(place.line)
        caret = " " * quote.caret + paint("^" * (quote.caret_end - quote.caret), mark)
        lines.append(f"  {paint(f'{number} |', 'dim')} {quote.text}")
        lines.append(f"  {paint(' ' * len(number) + ' |', 'dim')} {caret}")
    return lines


def _paint(text: str, color: str) -> str:
    return f"\033[{_COLORS[color]}m{text}\033[0m"


def _leave(text: str, color: str) -> str:  # noqa: ARG001 - stands in for _paint
    return text
