"""Read a logo: its content decides what it is, and an SVG may only draw.

An SVG served from webmail's own name can run scripts there (SVG 2, chapter 15), so elements are
allowed by name, and nothing may point out of the file.
"""

from __future__ import annotations

import re
import struct
from pathlib import PurePosixPath
from typing import Never
from xml.parsers import expat

from provision.model.fleet import Logo
from provision.spec.characters import shown
from provision.spec.wrong import WrongError

_MAX_SIDE = 4096
_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = "http://www.w3.org/2000/svg"
_SHAPES = {"svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
_TEXTS = {"text", "tspan", "textPath", "title", "desc"}
_PAINTS = {"defs", "style", "linearGradient", "radialGradient", "stop", "clipPath", "mask"}
_REUSES = {"pattern", "symbol", "use", "marker"}
_DRAWING = _SHAPES | _TEXTS | _PAINTS | _REUSES
_LINKS_OUT = re.compile(
    r"url\s*\(\s*['\"]?\s*(?!#)|@import|javascript:|data:|expression\s*\(|\\|<!", re.IGNORECASE
)
_PLAIN = "save it as plain SVG from the drawing program, or as PNG"


def parse_logo(file: str, content: bytes) -> Logo:
    """The logo in a file's content; raises WrongError."""
    filename = PurePosixPath(file).name
    suffix = PurePosixPath(file).suffix.lower()
    if suffix == ".png":
        _check_png(content)
        return Logo(filename, "image/png", content)
    if suffix == ".svg":
        _check_svg(content)
        return Logo(filename, "image/svg+xml", content)
    raise WrongError("a logo is a .svg or .png file", hint=_PLAIN)


def _check_png(content: bytes) -> None:
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 33:
        raise WrongError("the file is not a PNG picture", hint="export it again as PNG")
    width, height = struct.unpack(">II", content[16:24])
    if not 0 < width <= _MAX_SIDE or not 0 < height <= _MAX_SIDE:
        raise WrongError(
            f"the picture measures {width}x{height}; the limit is {_MAX_SIDE}",
            hint="make it smaller",
        )


class _SvgCheck:
    """Stops at the first thing in an SVG that does more than draw."""

    def __init__(self) -> None:
        self._depth = 0
        self._style: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, element = name.rpartition(" ")
        if self._depth == 0 and (namespace, element) != (_SVG, "svg"):
            raise WrongError("the file is not an SVG picture", hint=_PLAIN)
        if namespace != _SVG or element not in _DRAWING:
            raise WrongError(f"the SVG holds the element {shown(element)}", hint=_PLAIN)
        self._depth += 1
        for key, value in attributes.items():
            _check_attribute(key.rpartition(" ")[2], value)
        if element == "style":
            self._style = []

    def end(self, name: str) -> None:
        self._depth -= 1
        if name.endswith(" style") and self._style is not None:
            if _LINKS_OUT.search("".join(self._style)):
                raise WrongError("a style of the SVG points out of the file", hint=_PLAIN)
            self._style = None

    def text(self, text: str) -> None:
        if self._style is not None:
            self._style.append(text)

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        # A reader that believes another encoding would see another file than the one checked.
        if (encoding or "utf-8").lower() not in ("utf-8", "us-ascii"):
            raise WrongError("the SVG is not in UTF-8", hint=_PLAIN)

    def refuse(self, *_: object) -> Never:
        raise WrongError("the SVG holds a document type or instruction", hint=_PLAIN)


def _check_attribute(name: str, value: str) -> None:
    if name.lower().startswith("on"):
        raise WrongError(f"the SVG holds the script attribute {shown(name)}", hint=_PLAIN)
    points_out = name in ("href", "src", "base") and not value.startswith("#")
    if points_out or _LINKS_OUT.search(value):
        raise WrongError(f"the attribute {shown(name)} points out of the SVG", hint=_PLAIN)


def _check_svg(content: bytes) -> None:
    check = _SvgCheck()
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.XmlDeclHandler = check.declaration
    parser.StartElementHandler = check.start
    parser.EndElementHandler = check.end
    parser.CharacterDataHandler = check.text
    parser.StartDoctypeDeclHandler = check.refuse
    parser.ProcessingInstructionHandler = check.refuse
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat's signature
    except expat.ExpatError as error:
        raise WrongError(
            f"the file is not an SVG picture: {expat.ErrorString(error.code)} in line"
            f" {error.lineno}",
            hint=_PLAIN,
        ) from error
