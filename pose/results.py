"""The data that travels through the house: field maps, people, results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from pose.geometry import Grid


@dataclass(frozen=True)
class FieldMaps:
    """What the network says about one photo, and where on the photo each cell lies.

    Attributes:
        heatmaps: float32 (19, h, w), confidence that a keypoint is in the cell, channel 18 is
            the background; about 0 to 1.
        pafs: float32 (38, h, w), part affinity fields, unit vectors along the limbs; about -1 to 1.
        grid: how cells map to pixels of the photo.

    On CUDA the arrays are fetched from the device when they are read first.
    """

    heatmaps: np.ndarray
    pafs: np.ndarray
    grid: Grid


@dataclass(frozen=True)
class Person:
    """One person found in a photo.

    Attributes:
        keypoints: float32 (18, 3), x and y in pixels of the photo ((0, 0) is the centre of the
            top-left pixel) and score in 0..1; x and y are NaN and the score 0 where missing.
        score: confidence in the person, higher is better; ranks people within and across photos.
    """

    keypoints: np.ndarray
    score: float

    @property
    def visible(self) -> np.ndarray:
        """bool (18,): which keypoints were found."""
        return self.keypoints[:, 2] > 0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x, y, width, height in pixels around the found keypoints."""
        found = self.keypoints[self.visible, :2]
        if not len(found):
            return (0.0, 0.0, 0.0, 0.0)
        low, high = found.min(0), found.max(0)
        return (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))


@dataclass(frozen=True)
class Timings(Mapping[str, float]):
    """Seconds spent in each step; also a mapping, so that `dict(timings)` goes into JSON.

    On CUDA peaks and limbs are found right behind the network, and their time is in `network`.
    """

    preprocess: float
    network: float
    decode: float

    def __getitem__(self, step: str) -> float:
        return asdict(self)[step]

    def __iter__(self) -> Iterator[str]:
        return iter(asdict(self))

    def __len__(self) -> int:
        return len(asdict(self))

    @property
    def total(self) -> float:
        return self.preprocess + self.network + self.decode


@dataclass(frozen=True)
class PoseResult:
    """The answer for one photo.

    Attributes:
        people: found people, best score first.
        maps: the last stage's maps, which the people were decoded from.
        timings: seconds per step.
        image_size: (height, width) of the photo in pixels.
        stages: the maps of every stage, first to last; empty unless asked for.
        notes: sentences for the user, for instance that a limit was reached.
    """

    people: tuple[Person, ...]
    maps: FieldMaps
    timings: Timings
    image_size: tuple[int, int]
    stages: tuple[FieldMaps, ...] = ()
    notes: tuple[str, ...] = ()
