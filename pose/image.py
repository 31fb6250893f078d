"""Photos of any kind → RGB uint8."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pose.errors import UserError

MAX_PIXELS = 120_000_000
"""Largest photo that is opened: 120 megapixels, 360 MB as RGB."""

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".apng", ".webp", ".bmp", ".gif"}
    | {".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".avif", ".mpo"}
)
"""File endings that count as photos when a folder is searched."""


def load_image(source: str | Path | Image.Image | np.ndarray) -> np.ndarray:
    """The photo as RGB uint8 (H, W, 3), turned as its EXIF orientation says.

    Gray, palette, 16-bit, CMYK and transparent pictures (laid on white) become RGB; of an
    animation the first frame is taken.

    Args:
        source: a path, a PIL image, or an array: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4)
            RGBA; uint8, uint16, bool, or float in 0..1.

    Raises:
        UserError: the source is not a readable photo.
    """
    if isinstance(source, np.ndarray):
        return from_array(source)
    if isinstance(source, Image.Image):
        check_size(source, "the image")
        return from_pil(source, "the image")
    return from_file(source)


def from_file(source: str | Path) -> np.ndarray:
    """Reads a file; see `load_image`."""
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        raise UserError(f"{source} is an address, not a file: download the photo first")
    if not isinstance(source, str | Path):
        raise UserError(f"a photo is a path, a PIL image or an array, not {type(source).__name__}")
    path = Path(source)
    name = path.name or str(path)
    if path.is_dir():
        raise UserError(f"{name} is a folder, not a photo")
    if not path.exists():
        raise UserError(f"{source}: no such file")
    if path.stat().st_size == 0:
        raise UserError(f"{name} is empty (0 bytes): choose another photo")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                check_size(image, name)
                return from_pil(image, name)
    except UnidentifiedImageError:
        raise UserError(
            f"{name} is not a photo that can be read: use a JPEG, PNG or WebP file"
        ) from None
    except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise broken(name, error) from None


def broken(name: str, error: Exception) -> UserError:
    """One line for a file that starts like a photo and cannot be decoded."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return UserError(f"{name} is damaged and cannot be read ({reason}): choose another photo")


def check_size(image: Image.Image, name: str) -> None:
    """Refuses pictures of too many pixels before any is decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise UserError(
            f"{name} has {image.width} x {image.height} pixels, more than"
            f" {MAX_PIXELS // 1_000_000} megapixels: make it smaller first"
        )
    if not image.width or not image.height:
        raise UserError(f"{name} has no pixels: choose another photo")


def from_pil(image: Image.Image, name: str) -> np.ndarray:
    """RGB uint8 of a PIL image."""
    try:
        image.load()
    except (OSError, SyntaxError, EOFError, ValueError, struct.error, IndexError) as error:
        raise broken(name, error) from None
    try:
        image = ImageOps.exif_transpose(image)
    except Exception:  # broken EXIF in any of the ways EXIF breaks: show the photo as it lies
        image = image.copy()
    if image.mode.startswith("I") or image.mode == "F":
        return from_array(np.asarray(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return np.array(image.convert("RGB"))


def from_array(array: np.ndarray) -> np.ndarray:
    """RGB uint8 of an array; see `load_image`."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise UserError(f"a photo as an array has the shape (height, width, 3), not {array.shape}")
    if not array.size:
        raise UserError(f"the array {array.shape} has no pixels")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise UserError(
            f"the array has {array.shape[1]} x {array.shape[0]} pixels, more than"
            f" {MAX_PIXELS // 1_000_000} megapixels: make it smaller first"
        )
    array = to_uint8(array)
    if array.shape[2] == 4:
        alpha = array[..., 3:].astype(np.uint16)
        color = array[..., :3].astype(np.uint16)
        array = ((color * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    elif array.shape[2] == 1:
        array = np.repeat(array, 3, 2)
    return np.ascontiguousarray(array)


def to_uint8(array: np.ndarray) -> np.ndarray:
    """Values scaled to 0..255 by what their type can hold."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if array.dtype == np.uint16:
        return (array >> 8).astype(np.uint8)
    if np.issubdtype(array.dtype, np.integer):
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > 65535:
            raise UserError(f"an integer photo has values in 0..255 or 0..65535, not {low}..{high}")
        return (array if high <= 255 else array >> 8).astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all():
            raise UserError("the array holds NaN or infinite values: a photo has none")
        low, high = float(array.min()), float(array.max())
        if low < 0 or high > 1:
            raise UserError(f"a float photo has values in 0..1, not {low:.3g}..{high:.3g}")
        return (array * 255 + 0.5).astype(np.uint8)
    raise UserError(f"a photo as an array holds uint8, not {array.dtype}")
