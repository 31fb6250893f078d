"""Pixels of any type and number of channels → RGB uint8, a strip of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from pose.errors import UserError

MAX_PIXELS = 120_000_000
"""Largest photo that is opened: 120 megapixels, 360 MB as RGB."""

COSTLY = {"WEBP": 40_000_000, "AVIF": 40_000_000, "JPEG2000": 20_000_000}
"""Largest photo in formats whose decoders take up to 20 bytes for a pixel, and JPEG 2000's also
half a microsecond, by Pillow's names."""

STRIP = 4_000_000
"""Pixels converted at a time: what is between the photo and its RGB takes little memory."""


def check_size(width: int, height: int, name: str, form: str | None = None) -> None:
    """Refuses pictures of too many pixels, or none, before any is decoded."""
    most = COSTLY.get(form or "", MAX_PIXELS)
    if width * height > most:
        advice = "make it smaller first" + (", or save it as JPEG" if form in COSTLY else "")
        raise UserError(
            f"{name} has {width} x {height} pixels, more than {most // 1_000_000} megapixels:"
            f" {advice}"
        )
    if not width or not height:
        raise UserError(f"{name} has no pixels: choose another photo")


def from_pil(image: Image.Image) -> np.ndarray:
    """RGB uint8 (H, W, 3) of a decoded PIL image; transparent pixels lie on white.

    Raises:
        UserError: numbers that no photo has.
        ValueError: Pillow cannot convert the mode.
    """
    if image.mode.startswith("I") or image.mode == "F":
        array = np.asarray(image)
        if image.mode == "I" and image.format in ("PPM", "PNG"):
            array = array.astype(np.uint16)  # Pillow holds their 16 bits in 32
        return from_array(array)
    found = np.empty((image.height, image.width, 3), np.uint8)
    for rows in strips(image.height, image.width):
        strip = image.crop((0, rows.start, image.width, rows.stop))
        if strip.has_transparency_data:
            paper = Image.new("RGBA", strip.size, "white")
            strip = Image.alpha_composite(paper, strip.convert("RGBA"))
        found[rows] = np.asarray(strip.convert("RGB"))
    return found


def from_array(array: np.ndarray) -> np.ndarray:
    """RGB uint8 (H, W, 3) of an array; see `pose.images.load.load_image`.

    Raises:
        UserError: a shape, type or values that no photo has.
    """
    array = np.asarray(array)  # of a subclass, such as a matrix, the plain array
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise UserError(f"a photo as an array has the shape (height, width, 3), not {array.shape}")
    height, width = array.shape[:2]
    check_size(width, height, "the array")
    to_uint8 = scaling(array)
    found = np.empty((height, width, 3), np.uint8)
    for rows in strips(height, width):
        strip = to_uint8(array[rows])
        found[rows] = on_white(strip) if strip.shape[2] == 4 else strip
    return found


def strips(height: int, width: int) -> Iterator[slice]:
    """Rows of about `STRIP` pixels, top to bottom."""
    step = max(1, STRIP // width)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def on_white(rgba: np.ndarray) -> np.ndarray:
    """RGBA uint8 (h, w, 4) laid on white: (h, w, 3)."""
    alpha = rgba[..., 3:].astype(np.uint16)
    color = rgba[..., :3].astype(np.uint16)
    return ((color * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def scaling(array: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """What takes the array's values to 0..255, by what their type can hold.

    Raises:
        UserError: a type or values that no photo has.
    """
    kind = array.dtype.kind
    if kind == "b":
        return lambda a: a.astype(np.uint8) * 255
    if kind == "u" and array.dtype.itemsize == 1:
        return lambda a: a
    if kind == "u" and array.dtype.itemsize == 2:
        return lambda a: a >> 8
    if kind in "iu":
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > 65535:
            raise UserError(f"an integer photo has values in 0..255 or 0..65535, not {low}..{high}")
        return (lambda a: a) if high <= 255 else (lambda a: a >> 8)
    if kind == "f":
        least, most = float(array.min()), float(array.max())  # NaN where any value is
        if not np.isfinite((least, most)).all():
            raise UserError("the array holds NaN or infinite values: a photo has none")
        if least < 0 or most > 1:
            raise UserError(
                f"a float photo has values in 0..1, not {least:.3g}..{most:.3g}: scale it,"
                " or give uint8"
            )
        return lambda a: a * a.dtype.type(255) + a.dtype.type(0.5)
    raise UserError(f"a photo as an array holds uint8, not {array.dtype}")
