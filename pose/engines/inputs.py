"""Photos and crops of them as the network gets them: resized to each scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from PIL import Image

from pose.decoding.second_pass import Crop
from pose.geometry import STRIDE, Grid, fit
from pose.images.load import load_image
from pose.presets import Preset

Photo = str | Path | Image.Image | np.ndarray


@dataclass(frozen=True)
class NetworkInput:
    """A photo, or a crop of one, resized to each scale of a preset.

    Attributes:
        image: the photo, RGB uint8 (H, W, 3).
        scales: a picture, RGB uint8 (h, w, 3), and the grid of its maps, for each input size.
        flip: whether each is also run mirrored.
        seconds: time spent on it.
    """

    image: np.ndarray
    scales: tuple[tuple[np.ndarray, Grid], ...]
    flip: bool
    seconds: float


@dataclass(frozen=True)
class InputMaker:
    """Makes inputs for some weights.

    Attributes:
        border: RGB colour of the padding, which the weights' normalisation makes grey.
        shift: pixels of the input by which the weights answer too far to the right and bottom.
    """

    border: tuple[int, int, int]
    shift: tuple[float, float]

    def photo(self, image: Photo, preset: Preset) -> NetworkInput:
        """A photo, loaded and resized to each scale of the preset.

        Raises:
            UserError: the photo cannot be used.
        """
        start = perf_counter()
        photo = load_image(image)
        scales = tuple(self._scale(photo, side) for side in preset.short_sides)
        return NetworkInput(photo, scales, preset.flip, perf_counter() - start)

    def crop(self, image: np.ndarray, crop: Crop, preset: Preset) -> NetworkInput:
        """A crop at each scale at which its people are as tall as the preset wants them."""
        picture = image[crop.top : crop.bottom, crop.left : crop.right]
        short_side = min(picture.shape[:2])
        scales = []
        for height in crop.run_at:
            resized, grid = self._scale(picture, round(short_side * height / crop.height))
            scales.append((resized, replace(grid, left=crop.left, top=crop.top)))
        return NetworkInput(picture, tuple(scales), preset.flip, 0.0)

    def _scale(self, picture: np.ndarray, short_side: int) -> tuple[np.ndarray, Grid]:
        resized, grid = fit(picture, short_side, self.border)
        shift_x, shift_y = self.shift
        return resized, replace(grid, shift_x=shift_x / STRIDE, shift_y=shift_y / STRIDE)
