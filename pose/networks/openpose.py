"""OpenPoseNet: VGG-19 features and six stages, 52,311,446 parameters (arXiv 1611.08050)."""

from __future__ import annotations

import torch
from torch import nn

from pose.networks.base import PoseNetwork, StageMaps
from pose.networks.names import OPENPOSE
from pose.skeleton import NUM_HEATMAPS, NUM_PAFS

FEATURES = 128
POOL = 0
VGG_CHANNELS = (64, 64, POOL, 128, 128, POOL, 256, 256, 256, 256, POOL, 512, 512)


class FeatureModule(nn.Module):
    """VGG-19's first ten convolutions and two that narrow them: (N, 3, H, W) → (N, 128, H/8, W/8).

    The first 21 entries of `model` have torchvision's VGG-19 indices, so that its ImageNet
    weights `features.N.*` load as `model.N.*`.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for out in (*VGG_CHANNELS, 256, FEATURES):
            if out == POOL:
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU(inplace=True)]
                channels = out
        self.model = nn.Sequential(*layers)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.model(images)


class Block(nn.Module):
    """One block of a stage; it ends without a ReLU because PAFs are signed.

    Stage 1: three 3x3 convolutions, 1x1 to 512, 1x1 to the maps. Later stages: five 7x7
    convolutions, 1x1 to 128, 1x1 to the maps; they read PAFs, heatmaps and features (185 channels).
    """

    def __init__(self, first_stage: bool, outputs: int) -> None:
        super().__init__()
        if first_stage:
            channels, kernel, repeats, wide = FEATURES, 3, 3, 512
        else:
            channels, kernel, repeats, wide = NUM_PAFS + NUM_HEATMAPS + FEATURES, 7, 5, 128
        layers: list[nn.Module] = []
        for _ in range(repeats):
            layers += [nn.Conv2d(channels, 128, kernel, padding=kernel // 2), nn.ReLU(inplace=True)]
            channels = 128
        layers += [nn.Conv2d(128, wide, 1), nn.ReLU(inplace=True), nn.Conv2d(wide, outputs, 1)]
        self.model = nn.Sequential(*layers)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.model(inputs)


class OpenPoseNet(PoseNetwork):
    """The VGG-19 OpenPose network: (N, 3, H, W) → six stages of 38 PAFs and 19 heatmaps at H/8."""

    name = OPENPOSE

    def __init__(self) -> None:
        super().__init__()
        self.feature = FeatureModule()
        # Registered in forward order, so that a listing of the modules reads as the data flows.
        for stage in range(1, self.num_stages + 1):
            self.add_module(f"block{stage}_1", Block(stage == 1, NUM_PAFS))
            self.add_module(f"block{stage}_2", Block(stage == 1, NUM_HEATMAPS))
        self.apply(initialise)

    def forward(self, images: torch.Tensor) -> list[StageMaps]:
        stages = range(1, self.num_stages + 1)
        return self.refine(
            self.feature(images),
            [self.get_submodule(f"block{s}_1") for s in stages],
            [self.get_submodule(f"block{s}_2") for s in stages],
        )


def initialise(module: nn.Module) -> None:
    """The seed's fresh weights: convolutions from N(0, 0.01), biases 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, std=0.01)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
