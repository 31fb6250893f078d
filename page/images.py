"""Photos and people at the size of the screen, and names for files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from pose import Person

LEAST_SIDE, MOST_SIDE = 900, 1600
"""Limits of the longer side in pixels of what the browser is sent; files keep the photo's own."""


def reduced(photo: np.ndarray, longest: int) -> np.ndarray:
    """The photo, made smaller if its longer side has more than `longest` pixels."""
    height, width = photo.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return photo
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def for_screen(photo: np.ndarray) -> np.ndarray:
    """The photo with a longer side that a large screen shows sharply: small photos are enlarged."""
    height, width = photo.shape[:2]
    if max(height, width) >= LEAST_SIDE:
        return reduced(photo, MOST_SIDE)
    scale = LEAST_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC)


def scaled(people: Sequence[Person], factor: float | np.ndarray) -> tuple[Person, ...]:
    """People on a photo that was resized by `factor`, or by (x, y); pixel centres stay centres."""
    if np.all(factor == 1):
        return tuple(people)
    changed = []
    for person in people:
        keypoints = person.keypoints.copy()
        keypoints[:, :2] = (keypoints[:, :2] + 0.5) * factor - 0.5
        changed.append(Person(keypoints, person.score))
    return tuple(changed)


def clean_name(name: str) -> str:
    """A file name's stem, without characters that a file system or an archive may refuse."""
    stem = Path(name).stem or "photo"
    kept = "".join(c if c.isalnum() or c in "-_. " else "_" for c in stem).strip(". ")
    return kept[:80] or "photo"
