"""A site's own look: its logo, and a style sheet with its colour."""

from __future__ import annotations

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
    dark = _darkened_for_text(color)
    text = "#fff" if _contrast(color, (255, 255, 255)) >= 3 else "#111"
    return fill("roundcube/brand.css.j2", color=_hex(color), dark=_hex(dark), text=text)


def _parse(text: str) -> _Rgb:
    digits = text.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def _hex(color: _Rgb) -> str:
    return "#" + bytes(color).hex()


def _darkened_for_text(color: _Rgb) -> _Rgb:
    """The colour, darkened until it reads on white: contrast 4.5 (WCAG 2.2, 1.4.3)."""
    while _contrast(color, (255, 255, 255)) < 4.5:
        red, green, blue = (part * 9 // 10 for part in color)
        color = (red, green, blue)
    return color


def _contrast(one: _Rgb, other: _Rgb) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: _Rgb) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = (
        part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in color
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
