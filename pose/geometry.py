"""From a photo to the network's grid and exactly back.

Pixel coordinates count pixel centres: (0, 0) is the centre of the top-left pixel, so a resize by
`s` takes x to (x + 0.5) * s - 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

STRIDE = 8
"""Pixels of network input per cell of the maps; both networks have three halvings."""

MAX_ASPECT = 4.0
"""Photos longer than this times their width are scaled by the longer side, to bound memory."""


@dataclass(frozen=True)
class Grid:
    """Where the cells of a map lie on the photo.

    x_photo = (x_cell + 0.5 - shift_x) * scale_x - 0.5, and the same for y.

    Attributes:
        scale_x, scale_y: photo pixels per cell. They differ by the rounding of the resized photo
            to whole pixels.
        image_size: (height, width) of the photo in pixels.
        shift_x, shift_y: cells by which the weights are known to answer too far right and down.
    """

    scale_x: float
    scale_y: float
    image_size: tuple[int, int]
    shift_x: float = 0.0
    shift_y: float = 0.0

    def to_image(self, cells: np.ndarray) -> np.ndarray:
        """Cell coordinates (..., 2) as x, y to pixels of the photo."""
        shift = (self.shift_x, self.shift_y)
        return (np.asarray(cells) + 0.5 - shift) * (self.scale_x, self.scale_y) - 0.5

    def to_cells(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the photo (..., 2) as x, y to cell coordinates; the inverse of `to_image`."""
        shift = (self.shift_x, self.shift_y)
        return (np.asarray(points) + 0.5) / (self.scale_x, self.scale_y) - 0.5 + shift

    @property
    def used_cells(self) -> tuple[int, int]:
        """(rows, columns) of cells that lie on the photo, the rest is padding."""
        height, width = self.image_size
        return round_up(height / self.scale_y), round_up(width / self.scale_x)


def round_up(value: float) -> int:
    """Smallest whole number not below `value`, forgiving of rounding noise."""
    return int(np.ceil(value - 1e-6))


def resized_size(image_size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """(height, width) after scaling the shorter side to `short_side`, aspect ratio kept.

    Beyond an aspect ratio of `MAX_ASPECT` the longer side is scaled to MAX_ASPECT * short_side.
    """
    height, width = image_size
    scale = min(short_side / min(height, width), MAX_ASPECT * short_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def padded_size(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) rounded up to multiples of the stride."""
    height, width = size
    return -(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE


def fit(
    image: np.ndarray, short_side: int, border: tuple[int, int, int] = (128, 128, 128)
) -> tuple[np.ndarray, Grid]:
    """Resizes a photo and pads it at the right and the bottom to a multiple of 8.

    Args:
        image: RGB uint8 (H, W, 3).
        short_side: pixels of the shorter side after resizing.
        border: RGB colour of the padding.

    Returns:
        The input picture, RGB uint8 (h * 8, w * 8, 3), and the grid of its (h, w) maps.
    """
    size = image.shape[:2]
    height, width = resized_size(size, short_side)
    shrinking = height < size[0]
    resized = cv2.resize(
        image, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    )
    padded_height, padded_width = padded_size((height, width))
    padded = cv2.copyMakeBorder(
        resized,
        0,
        padded_height - height,
        0,
        padded_width - width,
        cv2.BORDER_CONSTANT,
        value=border,
    )
    grid = Grid(STRIDE * size[1] / width, STRIDE * size[0] / height, (size[0], size[1]))
    return padded, grid
