"""Spending less memory: activations that are recomputed in place of being kept."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from pose.networks import MobileNetThin, PoseNetwork


def recompute_activations(network: PoseNetwork) -> None:
    """Makes every block and every piece of the front end recompute itself in the backward pass.

    Batch norm then sees each batch twice, which only makes its running statistics follow faster.
    The state dict's keys do not change.
    """
    for module in pieces(network):
        module.forward = partial(recomputed, module.forward)


def recomputed(forward, inputs: torch.Tensor) -> torch.Tensor:
    if not torch.is_grad_enabled():
        return forward(inputs)
    return checkpoint(forward, inputs, use_reentrant=False, preserve_rng_state=False)


def pieces(network: PoseNetwork) -> list[nn.Module]:
    """The modules between which activations are kept."""
    if isinstance(network, MobileNetThin):
        return [*network.backbone, *network.paf_blocks, *network.heatmap_blocks]
    blocks = [m for name, m in network.named_children() if name.startswith("block")]
    return [network.feature, *blocks]
