"""Networks typed for bfloat16, layer by layer, and how far their maps are from float32's.

In mobilenet-thin the precision is lost in the narrow layers (64 channels) of the six stages, where
errors of one stage feed the next. They are 8 % of the multiplications: they stay in float32, the
rest runs in bfloat16. Measured over photos of val2017, shorter side 368, the mean error of the maps
is 0.0008, and 0.0069 with every layer in bfloat16 (docs/performance.md has the AP of both).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from pose.geometry import fit
from pose.networks.base import PoseNetwork, StageMaps
from pose.networks.mobilenet_thin import MobileNetThin
from pose.networks.preprocessing import Preprocessing
from pose.weights.preprocessing_guess import example_photo

PROBE_SIDE = 184
"""Shorter side of the photo that precisions are compared on; half of the usual 368."""

MAX_TOLERANCE = 1e-2
"""Largest error of a map's value for PyTorch's autocast, which rounds in every layer."""

MEAN_TOLERANCE = 2e-3
"""Largest mean error of the maps for a network typed by `bf16_copy`.

At 0.0008 COCO AP does not change, at 0.0069 it falls by 0.01 (docs/performance.md).
"""


@dataclass(frozen=True)
class MapError:
    """How far maps are from PyTorch's in float32 on a photo: largest and mean difference."""

    largest: float
    mean: float


class InBf16(nn.Module):
    """A module that computes in bfloat16 and answers in float32."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module.to(torch.bfloat16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.module(x).float()


class Bf16Network(nn.Module):
    """(N, 3, H, W) float32 → the stages of a network whose heavy layers run in bfloat16.

    `features` and the blocks must take bfloat16; the blocks answer in float32.
    """

    def __init__(
        self,
        features: Callable[[torch.Tensor], torch.Tensor],
        paf_blocks: Sequence[nn.Module],
        heatmap_blocks: Sequence[nn.Module],
    ) -> None:
        super().__init__()
        self.features = features
        self.paf_blocks = nn.ModuleList(paf_blocks)
        self.heatmap_blocks = nn.ModuleList(heatmap_blocks)

    def forward(self, images: torch.Tensor) -> list[StageMaps]:
        features = self.features(images.to(torch.bfloat16))
        stages: list[StageMaps] = []
        inputs = features
        for paf_block, heatmap_block in zip(self.paf_blocks, self.heatmap_blocks, strict=True):
            stages.append(StageMaps(paf_block(inputs), heatmap_block(inputs)))
            inputs = torch.cat([*(m.to(torch.bfloat16) for m in stages[-1]), features], dim=1)
        return stages


def bf16_copy(network: PoseNetwork) -> Bf16Network:
    """A copy of a network typed for bfloat16; the network itself stays as it is."""
    network = copy.deepcopy(network).eval().requires_grad_(False)
    if isinstance(network, MobileNetThin):
        network.stem.to(torch.bfloat16)
        network.stem_norm.to(torch.bfloat16)
        network.backbone.to(torch.bfloat16)
        return Bf16Network(
            network.features,
            [first_in_bf16(block) for block in network.paf_blocks],
            [first_in_bf16(block) for block in network.heatmap_blocks],
        ).eval()
    stages = range(1, network.num_stages + 1)
    return Bf16Network(
        network.get_submodule("feature").to(torch.bfloat16),
        [InBf16(network.get_submodule(f"block{stage}_1")) for stage in stages],
        [InBf16(network.get_submodule(f"block{stage}_2")) for stage in stages],
    ).eval()


def first_in_bf16(block: nn.Module) -> nn.Module:
    """A block of layers of which the first, the heavy one, runs in bfloat16."""
    first, *rest = block.children()
    return nn.Sequential(InBf16(first), *rest)


def probe_picture(preprocessing: Preprocessing) -> np.ndarray:
    """RGB uint8 (1, H, W, 3) to compare precisions on: a bundled photo, without one noise."""
    photo = example_photo()
    if photo is None:
        photo = np.random.default_rng(0).integers(0, 256, (PROBE_SIDE,) * 2 + (3,), np.uint8)
    return fit(photo, PROBE_SIDE, preprocessing.border())[0][None]


def map_error(maps: list, expected: list) -> MapError:
    """The difference of two engines' last stages."""
    differences = [np.abs(a - b) for a, b in zip(maps[-1], expected[-1], strict=True)]
    if not all(np.isfinite(d).all() for d in differences):
        return MapError(float("inf"), float("inf"))
    return MapError(
        float(max(d.max() for d in differences)),
        float(np.concatenate([d.ravel() for d in differences]).mean()),
    )
