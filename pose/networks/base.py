"""The interface of every network."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import nn


class StageMaps(NamedTuple):
    """One stage's maps for a batch: PAFs (N, 38, H/8, W/8) and heatmaps (N, 19, H/8, W/8)."""

    pafs: torch.Tensor
    heatmaps: torch.Tensor


class PoseNetwork(nn.Module):
    """A feature module followed by six stages of a PAF block and a heatmap block.

    `forward` takes a batch (N, 3, H, W), H and W multiples of 8, normalised with the weights' own
    `pose.networks.preprocessing`, and returns the maps of the six stages. The last stage's maps are
    the result; the others are for training and for viewing.
    """

    name: ClassVar[str]
    num_stages: ClassVar[int] = 6

    def refine(
        self, features: torch.Tensor, paf_blocks: list[nn.Module], heatmap_blocks: list[nn.Module]
    ) -> list[StageMaps]:
        """Runs the stages; each but the first reads the previous maps beside the features."""
        stages: list[StageMaps] = []
        inputs = features
        for paf_block, heatmap_block in zip(paf_blocks, heatmap_blocks, strict=True):
            stages.append(StageMaps(paf_block(inputs), heatmap_block(inputs)))
            inputs = torch.cat([*stages[-1], features], dim=1)
        return stages
