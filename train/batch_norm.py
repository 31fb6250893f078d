"""Batch norm around a training: put back into weights that have it folded away, and renewed.

Folded weights can hardly be trained: random steps of 0.3 % of their size cost mobilenet-thin 0.024
of AP at `fast`. Batch norm takes out what they do to the mean and the scale of every channel, and
with it they cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from pose.networks.build import MobileNetThin


def norms(network: nn.Module) -> dict[str, nn.BatchNorm2d]:
    """The batch norms of a network by name."""
    return {n: m for n, m in network.named_modules() if isinstance(m, nn.BatchNorm2d)}


@torch.no_grad()
def unfold(folded: MobileNetThin, images: Iterable[torch.Tensor]) -> MobileNetThin:
    """The same network with batch norm, whose statistics are those of images.

    Args:
        folded: without batch norm, on the CPU.
        images: preprocessed batches (N, 3, H, W).

    Returns:
        A network whose maps in evaluation mode are those of `folded`.
    """
    network = MobileNetThin(batch_norm=True).train()
    network.load_state_dict(folded.state_dict(), strict=False)
    hooks = []
    for name, norm in norms(network).items():
        norm.momentum = None  # the plain mean over all batches
        hooks.append(folded.get_submodule(name).register_forward_hook(partial(observe, norm)))
    for batch in images:
        folded(batch)
    for hook in hooks:
        hook.remove()
    for norm in norms(network).values():
        assert norm.running_mean is not None and norm.running_var is not None
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(norm.running_mean)
    return network


def observe(norm: nn.BatchNorm2d, module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
    """A hook: the statistics of an output, which stays as it is."""
    norm(output)


def renew_statistics(network: nn.Module, images: Iterable[torch.Tensor]) -> None:
    """Replaces a network's batch-norm statistics, which belong to earlier weights.

    Args:
        images: preprocessed batches (N, 3, H, W), on the network's device.
    """
    update_bn(images, network)
