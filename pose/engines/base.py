"""What every engine takes and returns."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np


class MapArrays(NamedTuple):
    """One stage's maps of a batch: float32 PAFs (N, 38, h, w) and heatmaps (N, 19, h, w)."""

    pafs: np.ndarray
    heatmaps: np.ndarray


class Engine(Protocol):
    """Whatever runs a network.

    Attributes:
        name: what `--engine` calls it.
        precision: "fp32", "bf16" or "fp16", what most of the arithmetic is done in.
    """

    @property
    def name(self) -> str: ...

    @property
    def precision(self) -> str: ...

    def run(self, pictures: np.ndarray, all_stages: bool = False) -> list[MapArrays]:
        """Maps of RGB uint8 pictures (N, H, W, 3), H and W multiples of 8.

        Returns every stage's maps, or only the last stage's. On the CPU a picture's maps are the
        same to the last bit whatever runs beside it.
        """
        ...


def concatenated(pictures: list[list[MapArrays]]) -> list[MapArrays]:
    """Maps of pictures that ran one by one (picture, stage), as those of a batch."""
    if len(pictures) == 1:
        return pictures[0]
    return [
        MapArrays(*(np.concatenate(arrays) for arrays in zip(*of_stage, strict=True)))
        for of_stage in zip(*pictures, strict=True)
    ]
