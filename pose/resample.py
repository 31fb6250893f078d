"""Cubic interpolation as matrices: a map read at other places along one axis."""

from __future__ import annotations

import numpy as np

A = -0.75
"""Keys' parameter, as OpenCV and PyTorch choose it."""


def cubic_kernel(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel at distances in samples (IEEE ASSP 29, 1981)."""
    d = np.abs(distance)
    near = ((A + 2) * d - (A + 3)) * d**2 + 1
    far = A * (((d - 5) * d + 8) * d - 4)
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def cubic_matrix(positions: np.ndarray, size: int) -> np.ndarray:
    """Weights (len(positions), size) that read `size` samples at fractional positions.

    Beyond the ends the last sample goes on.
    """
    positions = np.clip(positions, -0.5, size - 0.5)
    first = np.floor(positions).astype(int)
    matrix = np.zeros((len(positions), size), np.float32)
    rows = np.arange(len(positions))
    for tap in range(-1, 3):
        weight = cubic_kernel(positions - (first + tap))
        np.add.at(matrix, (rows, np.clip(first + tap, 0, size - 1)), weight)
    return matrix
