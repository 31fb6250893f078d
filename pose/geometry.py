"""From a photo to the network's grid and exactly back, and reading maps between cells.

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

MIN_SIDE = 64
"""Pixels of network input on either side, padded if need be. In a strip of a few cells the zeros
around the picture, with which convolutions are padded, look like people in every cell."""


@dataclass(frozen=True)
class Grid:
    """Where the cells of a map lie on the photo.

    x_photo = (x_cell + 0.5 - shift_x) * scale_x - 0.5 + left, and the same for y.

    Attributes:
        scale_x, scale_y: photo pixels per cell. They differ by the rounding of the resized photo
            to whole pixels.
        image_size: (height, width) in pixels of the photo, or of the crop that the map covers.
        shift_x, shift_y: cells by which the weights are known to answer too far right and down.
        left, top: pixels of the photo at which the crop begins.
    """

    scale_x: float
    scale_y: float
    image_size: tuple[int, int]
    shift_x: float = 0.0
    shift_y: float = 0.0
    left: int = 0
    top: int = 0

    def to_image(self, cells: np.ndarray) -> np.ndarray:
        """Cell coordinates (..., 2) as x, y to pixels of the photo."""
        shift = (self.shift_x, self.shift_y)
        origin = (self.left, self.top)
        return (np.asarray(cells) + 0.5 - shift) * (self.scale_x, self.scale_y) - 0.5 + origin

    def to_cells(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the photo (..., 2) as x, y to cell coordinates; the inverse of `to_image`."""
        shift = (self.shift_x, self.shift_y)
        inside = np.asarray(points) - (self.left, self.top)
        return (inside + 0.5) / (self.scale_x, self.scale_y) - 0.5 + shift

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

    Neither side is smaller than `MIN_SIDE` then.

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
    padded_height, padded_width = (max(MIN_SIDE, v) for v in padded_size((height, width)))
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


CUBIC = -0.75
"""Keys' parameter, as OpenCV and PyTorch choose it."""


def cubic_kernel(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel at distances in samples (IEEE ASSP 29, 1981)."""
    d = np.abs(distance)
    near = ((CUBIC + 2) * d - (CUBIC + 3)) * d**2 + 1
    far = CUBIC * (((d - 5) * d + 8) * d - 4)
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def cubic_matrix(positions: np.ndarray, size: int) -> np.ndarray:
    """Weights (len(positions), size) that read `size` samples at fractional positions.

    Beyond the ends the last sample is repeated.
    """
    positions = np.clip(positions, -0.5, size - 0.5)
    first = np.floor(positions).astype(int)
    matrix = np.zeros((len(positions), size), np.float32)
    rows = np.arange(len(positions))
    for tap in range(-1, 3):
        weight = cubic_kernel(positions - (first + tap))
        np.add.at(matrix, (rows, np.clip(first + tap, 0, size - 1)), weight)
    return matrix
