"""Photos of every kind, whole and broken, made on the spot: what `load_image` must live with."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, features
from places import COLLAGE, EXAMPLES

EXAMPLE = EXAMPLES / "astronaut.jpg"
SIZE = (96, 80)
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}
"""EXIF orientation → what makes the stored pixels upright."""


@dataclass(frozen=True)
class Case:
    """A file and what must become of it.

    Attributes:
        name: the file's name.
        data: its bytes.
        pixels: RGB that must come out, None where anything may that is a photo.
        tolerance: largest mean difference from `pixels`.
        may_fail: one clear line is right as well.
        must_fail: only one clear line is right.
        words: must be in that line.
    """

    name: str
    data: bytes
    pixels: np.ndarray | None = None
    tolerance: float = 0.0
    may_fail: bool = False
    must_fail: bool = False
    words: str = ""


@cache
def photo(size: tuple[int, int] = SIZE) -> Image.Image:
    """A real photo, small."""
    return Image.open(EXAMPLE).convert("RGB").resize(size)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """The bytes of an image file."""
    memory = io.BytesIO()
    image.save(memory, form, **options)
    return memory.getvalue()


def oriented(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


def frames() -> list[Image.Image]:
    return [photo().rotate(angle) for angle in (0, 90, 180)]


@cache
def containers() -> dict[str, bytes]:
    """The same photo in every format and in several of their ways."""
    image = photo()
    animated = {"save_all": True, "append_images": frames()[1:]}
    found = {
        "a.jpg": encoded(image, "JPEG", quality=90),
        "progressive.jpg": encoded(image, "JPEG", quality=90, progressive=True),
        "cmyk.jpg": encoded(image.convert("CMYK"), "JPEG", quality=90),
        "gray.jpg": encoded(image.convert("L"), "JPEG", quality=90),
        "exif.jpg": encoded(image, "JPEG", quality=90, exif=oriented(1)),
        "two.mpo": encoded(image, "MPO", quality=90, **animated),
        "a.png": encoded(image, "PNG"),
        "palette.png": encoded(image.quantize(200), "PNG"),
        "apng.png": encoded(image, "PNG", **animated),
        "a.webp": encoded(image, "WEBP", quality=95),
        "lossless.webp": encoded(image, "WEBP", lossless=True),
        "animated.webp": encoded(image, "WEBP", lossless=True, **animated),
        "a.gif": encoded(image.quantize(250), "GIF"),
        "animated.gif": encoded(image.quantize(250), "GIF", **animated),
        "a.tif": encoded(image, "TIFF"),
        "lzw.tif": encoded(image, "TIFF", compression="tiff_lzw"),
        "deflate.tif": encoded(image, "TIFF", compression="tiff_adobe_deflate"),
        "jpeg.tif": encoded(image, "TIFF", compression="jpeg", quality=90),
        "a.bmp": encoded(image, "BMP"),
        "a.ppm": encoded(image, "PPM"),
        "a.jp2": encoded(image, "JPEG2000"),
        "a.tga": encoded(image, "TGA"),
        "a.pcx": encoded(image, "PCX"),
        "a.qoi": encoded(image, "QOI"),
    }
    if features.check("avif"):
        found["a.avif"] = encoded(image, "AVIF", quality=90)
    return found


def whole_cases() -> Iterator[Case]:
    """Files that are right, each with the pixels that must come out."""
    image = photo()
    rgb = np.asarray(image)
    gray = np.asarray(image.convert("L").convert("RGB"))
    for name, data in containers().items():
        expected = gray if name.startswith("gray") else rgb
        yield Case(f"whole-{name}", data, expected, 8.0)
        ending = ".png" if name.endswith("jpg") else ".jpg"
        yield Case(f"called-{name}{ending}", data, expected, 8.0)
    for number, turn in TURNS.items():
        exif = oriented(number)
        yield Case(f"turned-{number}.png", encoded(image, "PNG", exif=exif), turn(rgb))
        lossless = encoded(image, "WEBP", lossless=True, exif=exif)
        yield Case(f"turned-{number}.webp", lossless, turn(rgb))
        yield Case(
            f"turned-{number}.tif", encoded(image, "TIFF", tiffinfo={274: number}), turn(rgb)
        )
        # Stored turned the other way, so that the upright photo comes out.
        stored = Image.fromarray(np.ascontiguousarray(turned_back(rgb, number)))
        jpeg = encoded(stored, "JPEG", quality=95, exif=exif)
        yield Case(f"upright-{number}.jpg", jpeg, rgb, 6.0)
    yield from deep_cases()
    yield from transparent_cases()
    for name, size in {
        "1xn": (1, 3000),
        "nx1": (3000, 1),
        "1x1": (1, 1),
        "wide": (9000, 3),
    }.items():
        small = photo(size)
        yield Case(f"{name}.png", encoded(small, "PNG"), np.asarray(small))
        yield Case(f"{name}.bmp", encoded(small, "BMP"), np.asarray(small))
    bits = image.convert("1")
    black_white = np.asarray(bits.convert("RGB"))
    for form in ("PNG", "TIFF", "BMP", "GIF", "PPM"):
        yield Case(f"1-bit.{form.lower()}", encoded(bits, form), black_white)
    profile = random.Random(0).randbytes(3_000_000)
    yield Case("icc.jpg", encoded(image, "JPEG", quality=95, icc_profile=profile), rgb, 6.0)
    yield Case("icc.png", encoded(image, "PNG", icc_profile=profile[:500_000]), rgb)
    yield Case("icc.webp", encoded(image, "WEBP", lossless=True, icc_profile=profile), rgb)
    yield Case("lab.tif", encoded(Image.new("LAB", SIZE, (50, 9, 9)), "TIFF"), may_fail=True)
    yield Case("tail.png", encoded(image, "PNG") + b"more" * 999, rgb)
    yield Case("tail.jpg", encoded(image, "JPEG", quality=95) + b"\0" * 9999, rgb, 6.0)
    for place, value in enumerate((0, 9, 65535, 3)):
        exif = oriented(value) if value != 3 else Image.Exif()
        yield Case(f"odd-exif-{place}.png", encoded(image, "PNG", exif=exif), rgb)
    exif = b"Exif\0\0" + oriented(6).tobytes()[6:]
    for cut in range(8, len(exif), 3):
        yield Case(f"cut-exif-{cut}.jpg", encoded(image, "JPEG", quality=95, exif=exif[:cut]))


def turned_back(rgb: np.ndarray, number: int) -> np.ndarray:
    """What a camera stores: `TURNS[number]` of it is `rgb`."""
    return TURNS[{6: 8, 8: 6}.get(number, number)](rgb)


def deep_cases() -> Iterator[Case]:
    """16 and 32 bits, integers and floats."""
    deep = (np.arange(80 * 96).reshape(80, 96) * 8).astype(np.uint16)
    expected = np.repeat((deep >> 8).astype(np.uint8)[..., None], 3, 2)
    dark = np.arange(80 * 96, dtype=np.uint16).reshape(80, 96) % 256
    for what, values in (("deep", deep), ("dark", dark)):
        rgb = np.repeat((values >> 8).astype(np.uint8)[..., None], 3, 2)
        image = Image.fromarray(values)
        yield Case(f"{what}.png", encoded(image, "PNG"), rgb)
        yield Case(f"{what}.tif", encoded(image, "TIFF"), rgb)
        yield Case(f"{what}-lzw.tif", encoded(image, "TIFF", compression="tiff_lzw"), rgb)
        pgm = b"P5 96 80 65535\n" + values.astype(">u2").tobytes()
        yield Case(f"{what}.pgm", pgm, rgb)
        yield Case(f"{what}-big-endian.tif", big_endian_tiff(values), rgb)
    rgb16 = np.repeat(deep[..., None], 3, 2)
    yield Case("deep-rgb.png", png_chunks(rgb16.astype(">u2"), 16, 2), expected)
    yield Case("float.tif", encoded(Image.fromarray(deep / np.float32(65535)), "TIFF"), expected, 1)
    values = deep.astype(np.float32)
    yield Case("float-large.tif", encoded(Image.fromarray(values), "TIFF"), must_fail=True,
               words="float-large.tif: a float photo has values in 0..1")  # fmt: skip
    yield Case("float-nan.tif", encoded(Image.fromarray(values * np.nan), "TIFF"), must_fail=True,
               words="NaN")  # fmt: skip
    yield Case("int32.tif", encoded(Image.fromarray(deep.astype(np.int32) << 12), "TIFF"),
               must_fail=True, words="int32.tif: an integer photo")  # fmt: skip


def big_endian_tiff(values: np.ndarray) -> bytes:
    """A gray 16-bit TIFF as Motorola would have it."""
    height, width = values.shape
    tags = [(256, 3, width), (257, 3, height), (258, 3, 16), (259, 3, 1), (262, 3, 1),
            (273, 4, 8), (277, 3, 1), (278, 3, height), (279, 4, values.size * 2)]  # fmt: skip
    pixels = values.astype(">u2").tobytes()
    entries = b"".join(
        struct.pack(">HHI", tag, kind, 1)
        + (struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value))
        for tag, kind, value in tags
    )
    head = b"MM\0*" + struct.pack(">I", 8 + len(pixels))
    return head + pixels + struct.pack(">H", len(tags)) + entries + b"\0\0\0\0"


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_chunks(values: np.ndarray, depth: int, color: int, *extra: bytes) -> bytes:
    """A PNG with values as they are, without filters."""
    height, width = values.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    body = chunk(b"IDAT", zlib.compress(rows))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + body + chunk(b"IEND", b"")
    )


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises any size."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


def webp_claiming(width: int, height: int) -> bytes:
    """A lossless WebP whose header promises any size up to 16384 x 16384."""
    data = bytearray(encoded(photo(), "WEBP", lossless=True))
    place = data.index(b"VP8L") + 9  # after the chunk's length and the signature
    (bits,) = struct.unpack_from("<I", data, place)
    struct.pack_into("<I", data, place, bits >> 28 << 28 | (height - 1) << 14 | width - 1)
    return bytes(data)


def transparent_cases() -> Iterator[Case]:
    """Whatever lets the paper through: it is white."""
    image = photo()
    rgb = np.asarray(image)
    alpha = Image.new("L", SIZE, 255)
    alpha.paste(0, (0, 0, SIZE[0] // 2, SIZE[1]))
    clear = image.copy()
    clear.putalpha(alpha)
    expected = rgb.copy()
    expected[:, : SIZE[0] // 2] = 255
    yield Case("alpha.png", encoded(clear, "PNG"), expected)
    yield Case("alpha.webp", encoded(clear, "WEBP", lossless=True), expected)
    yield Case("alpha.tif", encoded(clear, "TIFF"), expected)
    gray = np.asarray(image.convert("L"))
    gray_clear = Image.merge("LA", (image.convert("L"), alpha))
    gray_expected = np.repeat(gray[..., None], 3, 2)
    gray_expected[:, : SIZE[0] // 2] = 255
    yield Case("alpha-gray.png", encoded(gray_clear, "PNG"), gray_expected)
    palette = image.quantize(16)
    colors = np.asarray(palette.convert("RGB")).copy()
    hidden = np.asarray(palette) == 3
    colors[hidden] = 255
    yield Case("palette-alpha.png", encoded(palette, "PNG", transparency=3), colors)
    yield Case("palette-alpha.gif", encoded(palette, "GIF", transparency=3), colors)
    key = np.asarray(image).copy()
    key[:, :20] = (1, 2, 3)
    white = key.copy()
    white[:, :20] = 255
    colour_key = chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))
    yield Case("colour-key.png", png_chunks(key, 8, 2, colour_key), white)


def cut_cases() -> Iterator[Case]:
    """Every format cut at every tenth: refused, or all that belongs to the photo was there."""
    for name, data in containers().items():
        for tenth in range(10):
            yield Case(f"cut-{tenth}-{name}", data[: len(data) * tenth // 10], photo_of(name), 8.0,
                       may_fail=True)  # fmt: skip


def photo_of(name: str) -> np.ndarray:
    image = photo()
    return np.asarray(image.convert("L").convert("RGB") if name.startswith("gray") else image)


def flipped_cases(count: int, seed: int = 0) -> Iterator[Case]:
    """Every format with bytes changed, most of them in its headers."""
    rng = random.Random(seed)
    for name, data in containers().items():
        for number in range(count):
            broken = bytearray(data)
            for _ in range(rng.choice((1, 1, 2, 8))):
                place = rng.randrange(min(len(broken), rng.choice((32, 200, 2000))))
                broken[place] = rng.choice((0, 1, 127, 255, rng.randrange(256)))
            yield Case(f"flipped-{number}-{name}", bytes(broken), may_fail=True)


def other_cases() -> Iterator[Case]:
    """Files that are no photos at all, and bombs."""
    image = photo()
    rng = random.Random(1)

    def no(name: str, data: bytes, words: str = "") -> Case:
        return Case(name, data, must_fail=True, words=words)

    yield no("empty.jpg", b"", "empty")
    yield no("text.jpg", b"hello, I am a text", "not a photo")
    yield no("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG")
    yield no("drawing.png", b"<?xml version='1.0'?>\n<svg width='9'/>", "an SVG")
    yield no("paper.pdf", encoded(image, "PDF"), "a PDF")
    yield no("script.jpg", encoded(image, "EPS"), "PostScript")
    yield no("page.jpg", b"<!DOCTYPE html><html><body>404</body></html>", "web page")
    yield no("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), "HEIC")
    yield no("zip.jpg", b"PK\x03\x04" + bytes(200), "not a photo")
    yield no("zeros.png", bytes(5000))
    for number in range(20):
        yield no(f"random-{number}.jpg", rng.randbytes(rng.choice((1, 9, 64, 3000))))
    for mark in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*",
                 b"RIFF\x50\0\0\0WEBP", b"P6", b"qoif", b"\0\0\0\x0cjP  \r\n\x87\n"):  # fmt: skip
        for number in range(3):
            name = f"begins-{mark[:4].hex()}-{number}.jpg"
            yield Case(name, mark + rng.randbytes(500), may_fail=True)
    for width, height in (
        (50_000, 50_000),
        (2**31 - 1, 2**31 - 1),
        (12_001, 10_000),
        (1, 2**31 - 1),
    ):
        yield no(f"promises-{width}.png", png_claiming(width, height), "megapixels")
    for width, height in ((0, 10), (10, 0), (0, 0)):
        yield no(f"nothing-{width}-{height}.png", png_claiming(width, height))
    yield no("short.png", png_claiming(10_000, 10_000))
    yield no("webp-of-81-megapixels.webp", webp_claiming(9000, 9000), "40 megapixels")
    yield no("text-bomb.png", png_chunks(np.asarray(image), 8, 2, chunk(
             b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000)))))  # fmt: skip


def corpus(flips: int = 12) -> Iterator[Case]:
    """Everything, each name once."""
    yield from whole_cases()
    yield from cut_cases()
    yield from flipped_cases(flips)
    yield from other_cases()


def arrays() -> dict[str, tuple[object, object]]:
    """Arrays by name, each with the RGB that must come out or a part of the line that must."""
    rgb = np.asarray(photo())
    locked = rgb.copy()
    locked.flags.writeable = False
    return {
        "plain": (rgb, rgb),
        "read-only": (locked, rgb),
        "fortran": (np.asfortranarray(rgb), rgb),
        "negative strides": (rgb[::-1, ::-1], rgb[::-1, ::-1]),
        "negative channels": (rgb[..., ::-1], rgb[..., ::-1]),
        "every third": (rgb[::3, ::3], rgb[::3, ::3]),
        "broadcast": (
            np.broadcast_to(rgb[:1, :1], rgb.shape),
            np.broadcast_to(rgb[0, 0], rgb.shape),
        ),
        "uint16": (rgb.astype(np.uint16) << 8, rgb),
        "uint16 of the other end": ((rgb.astype(np.uint16) << 8).astype(">u2"), rgb),
        "dark uint16": (rgb.astype(np.uint16), rgb >> 8),
        "int64 of a byte": (rgb.astype(np.int64), rgb),
        "int32 of two bytes": (rgb.astype(np.int32) << 8, rgb),
        "float32": (rgb / np.float32(255), rgb),
        "float64": (rgb / 255.0, rgb),
        "float of the other end": ((rgb / 255.0).astype(">f8"), rgb),
        "bool": (rgb > 99, (rgb > 99) * np.uint8(255)),
        "gray": (rgb[..., 0], np.repeat(rgb[..., :1], 3, 2)),
        "gray with a channel": (rgb[..., :1], np.repeat(rgb[..., :1], 3, 2)),
        "opaque": (np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]), rgb),
        "clear": (np.dstack([rgb, np.zeros(rgb.shape[:2], np.uint8)]), np.full_like(rgb, 255)),
        "masked": (np.ma.masked_array(rgb, rgb > 9), rgb),
        "one pixel": (rgb[:1, :1], rgb[:1, :1]),
        "many narrow rows": (
            np.zeros((9_000_000, 1), np.uint8),
            np.zeros((9_000_000, 1, 3), np.uint8),
        ),
        "nan": (np.full((4, 4, 3), np.nan), "NaN"),
        "one nan": (np.where(rgb == rgb[5, 5], np.nan, 0.5), "NaN"),
        "infinite": (np.full((4, 4, 3), np.inf), "infinite"),
        "float to 255": (rgb.astype(np.float32), "0..1"),
        "float below 0": (rgb / 255 - 0.5, "0..1"),
        "negative": (rgb.astype(int) - 200, "0..255"),
        "beyond two bytes": (rgb.astype(np.int64) << 40, "65535"),
        "complex": (rgb.astype(complex), "uint8"),
        "objects": (rgb.astype(object), "uint8, not object"),
        "texts": (rgb.astype(str), "uint8"),
        "dates": (rgb.astype("M8[s]"), "uint8"),
        "fields": (np.zeros((4, 4, 3), [("r", np.uint8)]), "uint8"),
        "no pixels": (rgb[:0], "no pixels"),
        "no columns": (rgb[:, :0], "no pixels"),
        "no channels": (rgb[..., :0], "shape"),
        "two channels": (rgb[..., :2], "shape"),
        "five channels": (np.zeros((4, 4, 5), np.uint8), "shape"),
        "channels first": (rgb.transpose(2, 0, 1), "shape"),
        "a batch": (rgb[None], "shape"),
        "a row": (rgb[0, 0], "shape"),
        "a number": (np.array(7), "shape"),
        "empty": (np.array([]), "shape"),
        "a bomb": (np.broadcast_to(np.uint8(0), (50_000, 50_000, 3)), "megapixels"),
        "a list": (rgb[0].tolist(), "not list"),
        "nothing": (None, "not NoneType"),
        "bytes": (rgb.tobytes(), "not bytes"),
    }


def large_example(path: Path = COLLAGE) -> Image.Image:
    """A photo at its own size, upright."""
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")
