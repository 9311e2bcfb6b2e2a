"""A site's own look: its logo, and a style sheet with its colour."""

from __future__ import annotations

from functools import lru_cache

from provision.model.fleet import Site
from provision.render.templates import fill

_EXTENSION = {
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/webp": "webp",
}
_ROUNDCUBE_BLUE = "#37beff"

_Rgb = tuple[int, int, int]
_WHITE: _Rgb = (255, 255, 255)
_MENU: _Rgb = (47, 58, 63)  # what the skin paints its task menu with
_READABLE = 4.5  # contrast of text, WCAG 2.2, 1.4.3


def logo_name(site: Site) -> str | None:
    """File name of the site's logo on the host and in its address; never the name as written.

    Raises ValueError for a media type that is no picture a browser shows.
    """
    logo = site.webmail.logo
    if logo is None:
        return None
    if logo.media_type not in _EXTENSION:
        raise ValueError(f"a logo of type {logo.media_type} cannot be served")
    return f"logo.{_EXTENSION[logo.media_type]}"


def style_sheet(site: Site) -> bytes:
    """The style sheet that lays the site's colour over Roundcube's skin."""
    color = _parse(site.webmail.color or _ROUNDCUBE_BLUE)
    return fill(
        "roundcube/brand.css.j2",
        color=_hex(color),
        dark=_hex(_readable(color, on=_WHITE, towards=0)),
        light=_hex(_readable(color, on=_MENU, towards=255)),
        text="#fff" if _contrast(color, _WHITE) >= 3 else "#111",
    )


def _parse(text: str) -> _Rgb:
    digits = text.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def _hex(color: _Rgb) -> str:
    return "#" + bytes(color).hex()


def _readable(color: _Rgb, *, on: _Rgb, towards: int) -> _Rgb:
    """The colour, moved towards black (0) or white (255) until text in it reads on ``on``."""
    moved = (_mixed(color, towards, step / 20) for step in range(21))
    return next(one for one in moved if _contrast(one, on) >= _READABLE)


def _mixed(color: _Rgb, other: int, share: float) -> _Rgb:
    red, green, blue = (round(part + (other - part) * share) for part in color)
    return red, green, blue


def _contrast(one: _Rgb, other: _Rgb) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=1024)
def _luminance(color: _Rgb) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = (
        part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in color
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
