"""A logo is a picture and nothing else."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from provision.spec.load import Loaded, read_fleet
from provision.spec.picture import parse_logo
from provision.spec.wrong import WrongError

Read = Callable[..., Loaded]
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


def _png(width: int, height: int) -> bytes:
    header = struct.pack(">II", width, height) + b"\x08\x06\x00\x00\x00" + b"\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDR" + header


@pytest.mark.parametrize(
    "inside",
    [
        '<path d="M0 0h1"/>',
        '<defs><linearGradient id="a"/></defs><rect fill="url(#a)"/>',
        '<use xlink:href="#a"/>',
        "<style>.a { fill: url(#b); }</style>",
        "<title>Data and more</title>",
    ],
)
def test_drawing_is_taken(inside: str) -> None:
    content = f"{HEAD}{inside}</svg>".encode()
    logo = parse_logo("assets/my.svg", content)
    assert (logo.filename, logo.media_type, logo.content) == ("my.svg", "image/svg+xml", content)


def test_png_is_taken() -> None:
    assert parse_logo("a/b.png", _png(120, 32)).media_type == "image/png"


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<g onload="alert(1)"/>',
        '<g ONCLICK="alert(1)"/>',
        "<foreignObject/>",
        '<html xmlns="http://www.w3.org/1999/xhtml"/>',
        '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>',
        '<image href="https://evil.example/x.png"/>',
        '<use href="https://evil.example/x.svg#a"/>',
        '<use xlink:href="data:image/svg+xml;base64,AAAA"/>',
        '<a href="javascript:alert(1)"/>',
        '<rect fill="url(https://evil.example/x)"/>',
        "<rect style=\"fill: url( 'https://evil.example/x')\"/>",
        "<style>@import 'https://evil.example/x.css';</style>",
        "<style>.a { fill: url(//evil.example/x) }</style>",
        "<style>.a { fill: u\\72l(//evil.example/x) }</style>",
        "<style><![CDATA[ @import 'x' ]]></style>",
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        '<set attributeName="onload" to="x"/>',
        '<g xml:base="https://evil.example/"/>',
        "<?xml-stylesheet href='https://evil.example/x.css'?>",
        "<broken",
    ],
)
def test_svg_that_does_more_than_draw_is_refused(inside: str) -> None:
    with pytest.raises(WrongError) as raised:
        parse_logo("a.svg", f"{HEAD}{inside}</svg>".encode())
    assert raised.value.hint


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<html/>",
        b"<svg/>",
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        b'<!DOCTYPE svg SYSTEM "file:///etc/passwd"><svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<?xml version="1.0" encoding="utf-7"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        HEAD.encode("utf-16"),
        HEAD.encode() + b"<title>\xff</title></svg>",
        _png(1, 1),
        b"\x00" * 100,
    ],
)
def test_what_is_no_svg_is_refused(content: bytes) -> None:
    with pytest.raises(WrongError):
        parse_logo("a.svg", content)


@pytest.mark.parametrize("content", [b"", b"<svg/>", _png(0, 5), _png(5000, 5), _png(5, 5)[:20]])
def test_what_is_no_png_is_refused(content: bytes) -> None:
    with pytest.raises(WrongError):
        parse_logo("a.png", content)


def test_other_kinds_of_picture_are_refused() -> None:
    with pytest.raises(WrongError, match=r"svg or \.png"):
        parse_logo("a.gif", b"GIF89a")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("../../../../etc/shadow", "leads out"),
        ("/etc/passwd", "leads out"),
        ("https://evil.example/x.svg", "is a URL"),
        ("file:///etc/passwd", "is a URL"),
        (".provision/vault-password", "not a path"),
        (".vault-password", "not a path"),
        ("assets/a b.svg", "not a path"),
        ("assets//a.svg", "not a path"),
        ("assets/a;b.svg", "not a path"),
        ("assets/gone.svg", "no file"),
        ("fleet.yml", "svg or .png"),
        ("assets", "Is a directory"),
        ("assets/out.svg", "leads out"),
        ("assets/big.svg", "larger than the limit of 256 KiB"),
    ],
)
def test_logo_is_a_file_of_the_fleet(
    path: str, says: str, write_fleet: Callable[..., Path]
) -> None:
    site = f"site: b.example\nhost: mail1\nwebmail:\n  logo: {path}\n"
    folder = write_fleet({"sites/b.yml": site, "assets/big.svg": HEAD + " " * 300_000})
    (folder / "assets" / "out.svg").symlink_to("/etc/hostname")
    (problem,) = read_fleet(folder).problems
    assert says in problem.message
    assert str(problem.place) == "sites/b.yml:4:9"
    assert problem.hint
