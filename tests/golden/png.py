#!/usr/bin/python3
"""Writes small PNG files of every kind there is, and the RGB pixels in them.

The files are tests/fuzz/seeds/png/NAME, behind the three bytes that the fuzzer takes for itself; the
pixels are tests/golden/png.h. The files are made from samples by an encoder of its own (PNG specification, second edition), since
Pillow writes neither 16-bit colours nor Adam7. The pixels follow from the samples; where Pillow reads
a kind without loss, it must agree. Run: /usr/bin/python3 tests/golden/png.py
"""
import io
import os
import random
import struct
import zlib

from PIL import Image

SIDE = 9
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
HEAD = bytes([1, 100, 128])
draw = random.Random(18)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", s) for s in samples)
    bits = "".join(format(s, "0%db" % depth) for s in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def filtered(rows, distance):
    """Every row by a filter drawn at random."""
    out, above = b"", None
    for row in rows:
        above = above or bytes(len(row))
        kind = draw.randrange(5)
        out += bytes([kind])
        for i, x in enumerate(row):
            left = row[i - distance] if i >= distance else 0
            corner = above[i - distance] if i >= distance else 0
            guess = [0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner)][kind]
            out += bytes([(x - guess) & 255])
        above = row
    return out


def encode(colour, depth, pixels, palette=None, trns=None, interlaced=False):
    distance = max(1, CHANNELS[colour] * depth // 8)
    raw = b""
    for y0, x0, dy, dx in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        rows = [[s for x in range(x0, SIDE, dx) for s in pixels[y][x]] for y in range(y0, SIDE, dy)]
        if rows and rows[0]:
            raw += filtered([packed(row, depth) for row in rows], distance)
    out = b"\x89PNG\r\n\x1a\n"
    out += chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour, 0, 0, interlaced))
    out += chunk(b"gAMA", struct.pack(">I", 45455))
    if palette:
        out += chunk(b"PLTE", bytes(v for rgb in palette for v in rgb))
    if trns:
        out += chunk(b"tRNS", trns)
    data = zlib.compress(raw, 9)
    half = len(data) // 2
    out += chunk(b"IDAT", data[:half]) + chunk(b"IDAT", data[half:])
    return out + chunk(b"tEXt", b"Comment\0made for a test") + chunk(b"IEND", b"")


def on_black(v, alpha):
    return (v * alpha + 127) // 255


def eight(v, depth):
    return v >> 8 if depth == 16 else v * 255 // ((1 << depth) - 1)


def shown(colour, depth, samples, palette, trns):
    """The RGB pixel that samples stand for."""
    alpha = 255
    if colour == PALETTE:
        rgb = palette[samples[0]]
        if trns and samples[0] < len(trns):
            alpha = trns[samples[0]]
    else:
        n = 3 if colour in (RGB, RGBA) else 1
        rgb = [eight(v, depth) for v in samples[:n]] * (3 // n)
        if colour in (GREY_ALPHA, RGBA):
            alpha = eight(samples[-1], depth)
        if trns and tuple(samples) == struct.unpack(">%dH" % n, trns):
            alpha = 0
    return [on_black(v, alpha) for v in rgb]


def case(name, colour, depth, transparent=False, interlaced=False):
    top = (1 << depth) - 1
    colours = min(top, 31) if colour == PALETTE else top
    pixels = [[[draw.randrange(colours + 1) for _ in range(CHANNELS[colour])] for _ in range(SIDE)] for _ in range(SIDE)]
    palette = trns = None
    if colour == PALETTE:
        palette = [[draw.randrange(256) for _ in range(3)] for _ in range(colours + 1)]
        trns = bytes(draw.randrange(256) for _ in range(colours // 2 + 1)) if transparent else None
    elif transparent:
        trns = struct.pack(">%dH" % CHANNELS[colour], *pixels[4][4])
    file = encode(colour, depth, pixels, palette, trns, interlaced)
    rgb = bytes(v for row in pixels for s in row for v in shown(colour, depth, s, palette, trns))
    # Of 16-bit grey Pillow keeps 16 bits, and it compares a transparent colour at the wrong depth.
    if not (colour == GREY and depth == 16) and not (depth != 8 and transparent and colour != PALETTE):
        theirs = Image.open(io.BytesIO(file))
        rgba = theirs.convert("RGBA").tobytes()
        laid = bytes(on_black(rgba[i // 3 * 4 + i % 3], rgba[i // 3 * 4 + 3]) for i in range(3 * SIDE * SIDE))
        assert laid == rgb, name
    return name, file, rgb


def cases():
    kinds = [(GREY, "grey", (1, 2, 4, 8, 16)), (PALETTE, "palette", (1, 2, 4, 8)), (RGB, "rgb", (8, 16)),
             (GREY_ALPHA, "grey_alpha", (8, 16)), (RGBA, "rgba", (8, 16))]
    for colour, title, depths in kinds:
        for depth in depths:
            yield case("%s_%d" % (title, depth), colour, depth)
            if colour not in (GREY_ALPHA, RGBA):
                yield case("%s_%d_transparent" % (title, depth), colour, depth, transparent=True)
            yield case("%s_%d_interlaced" % (title, depth), colour, depth, interlaced=True)


def literal(data):
    lines = [", ".join(str(b) for b in data[i:i + 24]) for i in range(0, len(data), 24)]
    return "{ " + ",\n      ".join(lines) + " }"


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    seeds = os.path.join(here, "..", "fuzz", "seeds", "png")
    os.makedirs(seeds, exist_ok=True)
    with open(os.path.join(here, "png.h"), "w") as out:
        out.write("/* Written by tests/golden/png.py. */\n")
        out.write("enum { GOLDEN_PNG_SIDE = %d };\n" % SIDE)
        out.write("static const struct {\n    const char *name;\n"
                  "    unsigned char rgb[GOLDEN_PNG_SIDE * GOLDEN_PNG_SIDE * 3];\n} golden_png[] = {\n")
        for name, file, rgb in cases():
            out.write('    { "%s",\n      %s },\n' % (name, literal(rgb)))
            with open(os.path.join(seeds, name), "wb") as seed:
                seed.write(HEAD + file)
        out.write("};\n")


main()
