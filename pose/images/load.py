"""Photos of any kind → RGB uint8."""

from __future__ import annotations

import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pose.errors import UserError, display
from pose.images.pixels import MAX_PIXELS, check_size, from_array, from_pil

FORMATS = (
    "JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF", "HEIF",
    "ICO", "ICNS", "TGA", "PCX", "QOI", "PSD", "SGI",
)  # fmt: skip
"""Pillow's names of what is read. EPS is not: Pillow would run its PostScript program."""

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

KINDS = {
    b"%pdf": "a PDF",
    b"%!ps": "a PostScript file",
    b"<svg": "an SVG",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
}
"""How files that are often taken for photos begin, in lower case."""

ORIENTATION = 0x0112
"""EXIF tag: 1 is upright, 2 to 8 are turned or mirrored."""


@cache
def photo_suffixes() -> frozenset[str]:
    """File endings that count as photos when a folder is searched: those of every format read.

    HEIC is among them, although Pillow alone cannot read it, so that such a photo is reported and
    not left out in silence.
    """
    readable = readable_formats()
    known = {end for end, form in Image.registered_extensions().items() if form in readable}
    return frozenset(known | {".heic", ".heif", ".hif", ".jif", ".pjpeg", ".pjp"})


def load_image(source: str | Path | Image.Image | np.ndarray) -> np.ndarray:
    """The photo as RGB uint8 (H, W, 3), turned as its EXIF orientation says.

    Gray, palette, 16-bit, CMYK and transparent pictures (laid on white) become RGB; of an
    animation the first frame is taken.

    Args:
        source: a path, a PIL image, or an array: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4)
            RGBA; uint8, uint16, bool, or float in 0..1.

    Raises:
        UserError: the source is not a readable photo of at most `pose.images.pixels.MAX_PIXELS`.
    """
    if isinstance(source, np.ndarray):
        return from_array(source)
    if isinstance(source, Image.Image):
        return from_image(source, "the image")
    return from_file(source)


def from_file(source: str | Path) -> np.ndarray:
    """Reads a file; see `load_image`."""
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        raise UserError(f"{display(source)} is an address, not a file: download the photo first")
    if not isinstance(source, str | Path):
        raise UserError(f"a photo is a path, a PIL image or an array, not {type(source).__name__}")
    path = Path(source)
    name = display(path.name or path, 120)
    check_file(path, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=readable_formats()) as image:
                return from_image(image, name, ours=True)
    except UserError:
        raise
    except UnidentifiedImageError:
        raise UserError(f"{name} is {what_it_is(path)}: use a JPEG, PNG or WebP file") from None
    except Exception as error:
        raise unreadable(name, error) from None


def check_file(path: Path, name: str) -> None:
    """Refuses what is no ordinary file; a pipe, for instance, would be waited for."""
    try:
        if path.is_dir():
            raise UserError(f"{name} is a folder, not a photo")
        if not path.exists():
            raise UserError(f"{display(path, 400)}: no such file")
        if not path.is_file():
            raise UserError(f"{name} is not an ordinary file: choose another photo")
        if path.stat().st_size == 0:
            raise UserError(f"{name} is empty (0 bytes): choose another photo")
    except OSError as error:
        raise unreadable(name, error) from None


def readable_formats() -> list[str]:
    """Those of `FORMATS` that this Pillow has, and HEIF where its plugin is installed."""
    Image.init()
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    return [form for form in FORMATS if form in Image.OPEN]


def what_it_is(path: Path) -> str:
    """What a file is that Pillow does not know, for the message."""
    with path.open("rb") as file:
        start = file.read(512)
    if start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS and "HEIF" not in Image.OPEN:
        return "a HEIC photo, which needs `pip install pillow-heif`"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<?xml") and b"<svg" in text:
        return "an SVG, not a photo"
    kinds = (kind for mark, kind in KINDS.items() if text.startswith(mark))
    return next((f"{kind}, not a photo" for kind in kinds), "not a photo that can be read")


def unreadable(name: str, error: Exception) -> UserError:
    """One line for whatever Pillow or the system says of a file.

    Pillow's decoders report damage with a dozen exception types (OSError, SyntaxError, EOFError,
    ValueError, struct.error, RuntimeError, …).
    """
    if isinstance(error, Image.DecompressionBombError):
        most = f"{MAX_PIXELS // 1_000_000} megapixels"
        return UserError(f"{name} has more than {most}: make it smaller first")
    if isinstance(error, MemoryError):
        return UserError(f"{name} does not fit into memory: make it smaller first")
    if isinstance(error, OSError) and error.strerror:
        return UserError(f"{name} cannot be opened ({error.strerror}): choose another photo")
    reason = display(" ".join(str(error).split()) or type(error).__name__)
    return UserError(
        f"{name} cannot be read, it is damaged or of an unusual kind ({reason}): choose another"
        " photo, or save it as JPEG"
    )


def from_image(image: Image.Image, name: str, ours: bool = False) -> np.ndarray:
    """RGB uint8 of a PIL image, which stays as it is unless it is `ours`."""
    check_size(image.width, image.height, name, image.format)
    try:
        image.load()
        return from_pil(upright(image, ours))
    except UserError as error:
        raise UserError(f"{name}: {error}") from None
    except Exception as error:
        raise unreadable(name, error) from None


def upright(image: Image.Image, in_place: bool = False) -> Image.Image:
    """The image turned as its EXIF says, or itself."""
    try:
        if image.getexif().get(ORIENTATION, 1) in range(2, 9):
            if not in_place:
                return ImageOps.exif_transpose(image)
            ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # broken EXIF in any of the ways EXIF breaks: show the photo as it lies
        return image
    return image
