"""One person: 18 keypoints and a score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Person:
    """One person in a photo.

    Attributes:
        keypoints: float32 (18, 3), x and y in pixels of the photo ((0, 0) is the centre of the
            top-left pixel) and score in 0..1; x and y are NaN and the score 0 where missing.
        score: confidence in the person, higher is better; ranks people within and across photos.
    """

    keypoints: np.ndarray
    score: float

    @property
    def found(self) -> np.ndarray:
        """bool (18,): which keypoints have a score and a position."""
        return found_keypoints(self.keypoints)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x, y, width, height in pixels around the found keypoints."""
        points = self.keypoints[self.found, :2]
        if not len(points):
            return (0.0, 0.0, 0.0, 0.0)
        low, high = points.min(0), points.max(0)
        return (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))


def found_keypoints(keypoints: np.ndarray) -> np.ndarray:
    """bool (..., n): which keypoints of (..., n, 3) have a score and a position."""
    return (keypoints[..., 2] > 0) & np.isfinite(keypoints[..., :2]).all(-1)
