"""The masked squared error of PAFs and heatmaps, summed over the six stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pose.networks.build import StageMaps


@dataclass(frozen=True)
class LossTerms:
    """The loss of a batch.

    Attributes:
        per_sample: (N,), summed over stages and fields.
        pafs: (6,) means over the batch per stage.
        heatmaps: (6,) means over the batch per stage.
    """

    per_sample: torch.Tensor
    pafs: torch.Tensor
    heatmaps: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """The scalar to minimise."""
        return self.per_sample.mean()


def field_loss(stages: Sequence[StageMaps], targets: StageMaps, mask: torch.Tensor) -> LossTerms:
    """Compares every stage with the targets where the mask allows it.

    Args:
        stages: maps of each stage, PAFs (N, 38, h, w) and heatmaps (N, 19, h, w).
        targets: the maps to reach.
        mask: (N, h, w), 1 where targets can be trusted, 0 where not. It multiplies the squared
            error; ignored cells count as zeros in the mean over cells and channels.
    """
    weight = mask[:, None].float()

    def error(maps: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return ((maps.float() - target).square() * weight).mean((1, 2, 3))

    pafs = torch.stack([error(stage.pafs, targets.pafs) for stage in stages])
    heatmaps = torch.stack([error(stage.heatmaps, targets.heatmaps) for stage in stages])
    return LossTerms((pafs + heatmaps).sum(0), pafs.detach().mean(1), heatmaps.detach().mean(1))
