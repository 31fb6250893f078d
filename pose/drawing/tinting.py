"""Fields as colours: resized to the photo and blended over it."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from pose.geometry import Grid, cubic_matrix

COLORS = "inferno"

OPACITY = 0.9
"""Opacity of a field at full strength."""

TINTED_ROWS = 256
"""Rows blended at a time: a whole photo in floats would take hundreds of megabytes."""


def upsample(field: np.ndarray, grid: Grid, size: tuple[int, int]) -> np.ndarray:
    """A map (h, w) resized to the photo, (height, width) float32, by cubic interpolation.

    Cells in the padding are cropped off.
    """
    height, width = size
    photo_height, photo_width = grid.image_size
    columns = (np.arange(width) + 0.5) * photo_width / width / grid.scale_x - 0.5
    rows = (np.arange(height) + 0.5) * photo_height / height / grid.scale_y - 0.5
    down = cubic_matrix(rows, field.shape[0])
    across = cubic_matrix(columns, field.shape[1])
    return down @ field.astype(np.float32) @ across.T


def dimmed(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The photo at the figure's size, RGB uint8, greyer and darker so that the field stands out."""
    if image.shape[:2] != size:
        method = cv2.INTER_AREA if size[0] < image.shape[0] else cv2.INTER_CUBIC
        image = cv2.resize(image, size[::-1], interpolation=method)
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    return cv2.addWeighted(image, 0.2, cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), 0.48, 22)


def colored(strength: np.ndarray) -> np.ndarray:
    """Values from 0 to 1 (H, W) in the colours of the colour bar, RGB uint8 (H, W, 3)."""
    return color_table(COLORS)[level(strength)]


def hues(angle: np.ndarray) -> np.ndarray:
    """Angles in radians as RGB uint8: right is red, then clockwise yellow, green, blue."""
    return color_table("hsv")[level(angle / (2 * np.pi) % 1)]


def level(strength: np.ndarray) -> np.ndarray:
    levels = np.clip(strength, 0, 1)
    levels *= 255  # in place: each copy takes 12 MB for a large photo
    return levels.astype(np.uint8)


@lru_cache
def color_table(name: str) -> np.ndarray:
    """A Matplotlib colour map, RGB uint8 (256, 3)."""
    from matplotlib import colormaps

    return (colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.uint8)


def tint(
    photo: np.ndarray, colors: np.ndarray, strength: np.ndarray, opacity: float = OPACITY
) -> np.ndarray:
    """Colours blended over the photo, RGB uint8 (H, W, 3).

    `strength` (H, W), from 0 to 1, multiplies `opacity` at each pixel.
    """
    picture = np.empty(photo.shape, np.uint8)
    for first in range(0, len(photo), TINTED_ROWS):
        rows = slice(first, first + TINTED_ROWS)
        share = (opacity * np.clip(strength[rows], 0, 1)).astype(np.float32)[..., None]
        mixed = photo[rows] + (colors[rows].astype(np.float32) - photo[rows]) * share
        picture[rows] = mixed.round()
    return picture


def strongest(
    pairs: np.ndarray, grid: Grid, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The longest vector at every pixel, as x and y, of several vector fields (n, 2, h, w)."""
    x, y, squared = (np.zeros(size, np.float32) for _ in range(3))
    for pair in pairs:
        other_x, other_y = (upsample(plane, grid, size) for plane in pair)
        other_squared = other_x * other_x + other_y * other_y
        longer = other_squared > squared
        for kept, other in ((x, other_x), (y, other_y), (squared, other_squared)):
            np.copyto(kept, other, where=longer)
    return x, y
