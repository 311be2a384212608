"""Posters for the built-in TMDB: the title on a coloured ground, as PNG, without any library."""

from __future__ import annotations

import colorsys
import struct
import zlib

# Letters of 5 by 7 dots: five columns each, the lowest bit on top.
GLYPHS = {
    "A": "7e1111117e", "B": "7f49494936", "C": "3e41414122", "D": "7f4141221c", "E": "7f49494941",
    "F": "7f09090901", "G": "3e4149497a", "H": "7f0808087f", "I": "00417f4100", "J": "2040413f01",
    "K": "7f08142241", "L": "7f40404040", "M": "7f020c027f", "N": "7f0408107f", "O": "3e4141413e",
    "P": "7f09090906", "Q": "3e4151215e", "R": "7f09192946", "S": "4649494931", "T": "01017f0101",
    "U": "3f4040403f", "V": "1f2040201f", "W": "3f4038403f", "X": "6314081463", "Y": "0708700807",
    "Z": "6151494543", "0": "3e5149453e", "1": "00427f4000", "2": "4261514946", "3": "2141454b31",
    "4": "1814127f10", "5": "2745454539", "6": "3c4a494930", "7": "0171090503", "8": "3649494936",
    "9": "064949291e",
}  # fmt: skip
SHADES = 32
CIRCLE, INK = SHADES, SHADES + 1


def poster(number: int, title: str, width: int) -> bytes:
    """A PNG of 2:3, `width` pixels wide, always the same for one number and title."""
    height = width * 3 // 2
    rows = [bytearray([y * SHADES // height]) * width for y in range(height)]
    _draw_circle(rows, width * 3 // 4, height // 5, width * 2 // 5)
    dot = max(1, width // 80)
    top = height * 2 // 5
    for line in _lines(title, (width - 8 * dot) // (6 * dot)):
        _draw_line(rows, line, 4 * dot, top, dot)
        top += 10 * dot
    return _png(width, rows, _palette(number))


def _lines(title: str, letters: int) -> list[str]:
    """The words in capitals, as many per line as fit, at most six lines."""
    lines: list[str] = []
    for word in title.upper().split():
        word = "".join(letter for letter in word if letter in GLYPHS)[:letters]
        if lines and len(lines[-1]) + 1 + len(word) <= letters:
            lines[-1] += f" {word}"
        elif word:
            lines.append(word)
    return lines[:6]


def _draw_circle(rows: list[bytearray], across: int, down: int, radius: int) -> None:
    for y, row in enumerate(rows):
        half = int(max(0, radius**2 - (y - down) ** 2) ** 0.5)
        start, end = max(0, across - half), min(len(row), across + half)
        row[start:end] = bytes([CIRCLE]) * (end - start)


def _draw_line(rows: list[bytearray], text: str, left: int, top: int, dot: int) -> None:
    for place, letter in enumerate(text):
        for column, bits in enumerate(bytes.fromhex(GLYPHS.get(letter, "0000000000"))):
            x = left + (place * 6 + column) * dot
            for y in range(7 * dot):
                if bits >> (y // dot) & 1 and top + y < len(rows):
                    rows[top + y][x : x + dot] = bytes([INK]) * dot


def _palette(number: int) -> bytes:
    hue = number * 47 % 360 / 360
    shades = [(hue, 0.20 + 0.15 * (1 - i / SHADES), 0.45) for i in range(SHADES)]
    colours = [*shades, (hue, 0.42, 0.55), (hue, 0.96, 0.4)]
    return bytes(round(255 * part) for hls in colours for part in colorsys.hls_to_rgb(*hls))


def _png(width: int, rows: list[bytearray], palette: bytes) -> bytes:
    """One byte per pixel into a palette: https://www.w3.org/TR/png-3/."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, len(rows), 8, 3, 0, 0, 0)
    pixels = b"".join(b"\0" + row for row in rows)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"PLTE", palette)
        + chunk(b"IDAT", zlib.compress(pixels))
        + chunk(b"IEND", b"")
    )
