"""Fields over a photo as colours: brought to the photo's pixels and laid over it."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from pose.geometry import Grid
from pose.resample import cubic_matrix

COLORS = "inferno"

OPACITY = 0.9
"""How much a full field covers of the photo."""

TINTED_ROWS = 256
"""Rows that are mixed at a time: the floats of a whole photo would fill the memory."""


def upsample(field: np.ndarray, grid: Grid, size: tuple[int, int]) -> np.ndarray:
    """A map (h, w) over the whole photo as (height, width) float32, by cubic interpolation.

    Cells in the padding lie outside the photo and so outside the result.
    """
    height, width = size
    photo_height, photo_width = grid.image_size
    columns = (np.arange(width) + 0.5) * photo_width / width / grid.scale_x - 0.5
    rows = (np.arange(height) + 0.5) * photo_height / height / grid.scale_y - 0.5
    down = cubic_matrix(rows, field.shape[0])
    across = cubic_matrix(columns, field.shape[1])
    return down @ field.astype(np.float32) @ across.T


def dimmed(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The photo at the figure's size, RGB uint8, greyer and darker, so that colours mean the field.

    At its own size every pixel stays where it is.
    """
    height, width = size
    shrinking = height < image.shape[0]
    if image.shape[:2] != size:
        image = cv2.resize(
            image, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
        )
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    return cv2.addWeighted(image, 0.2, cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), 0.48, 22)


def colored(strength: np.ndarray) -> np.ndarray:
    """0..1 (H, W) → RGB uint8 (H, W, 3) in the colours of the colour bar."""
    return color_table(COLORS)[level(strength)]


def hues(angle: np.ndarray) -> np.ndarray:
    """Angles in radians → RGB uint8: right is red, then with the clock yellow, green, blue."""
    return color_table("hsv")[level(angle / (2 * np.pi) % 1)]


def level(strength: np.ndarray) -> np.ndarray:
    levels = np.clip(strength, 0, 1)
    levels *= 255  # in place: of a large photo every further copy is 12 MB
    return levels.astype(np.uint8)


@lru_cache
def color_table(name: str) -> np.ndarray:
    """RGB uint8 (256, 3) of a Matplotlib colour map."""
    from matplotlib import colormaps

    return (colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.uint8)


def tint(
    photo: np.ndarray, colors: np.ndarray, strength: np.ndarray, opacity: float = OPACITY
) -> np.ndarray:
    """The photo with colours over it, RGB uint8 (H, W, 3).

    `strength` (H, W) from 0 to 1 says how much of `opacity` there is.
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
    """Of several vector fields (n, 2, h, w) the longest vector at every pixel, as x and y."""
    x, y, squared = (np.zeros(size, np.float32) for _ in range(3))
    for pair in pairs:
        other_x, other_y = (upsample(plane, grid, size) for plane in pair)
        other_squared = other_x * other_x + other_y * other_y
        longer = other_squared > squared
        for kept, other in ((x, other_x), (y, other_y), (squared, other_squared)):
            np.copyto(kept, other, where=longer)
    return x, y
