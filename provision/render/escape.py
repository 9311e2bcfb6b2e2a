"""All quoting of text for the syntaxes that the programs read; nothing else quotes."""

from __future__ import annotations

from collections.abc import Callable


def postfix_value(text: str) -> str:
    """Text as a main.cf or master.cf value: ``$`` doubled (postconf(5)); controls refused."""
    _refuse_controls(text)
    return text.replace("$", "$$")


def php_string(text: str) -> str:
    r"""Text as a single-quoted PHP string, in which only ``\`` and ``'`` are special."""
    _refuse_controls(text)
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _refuse_controls(text: str) -> None:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("control characters cannot be written to a configuration file")


FILTERS: dict[str, Callable[[str], str]] = {
    "postfix_value": postfix_value,
    "php_string": php_string,
}
