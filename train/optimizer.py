"""The optimizer with its learning-rate schedule, and the moving average of the weights."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Adam
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from train.settings import TrainSettings

FRESH_MULTIPLIERS = (4.0, 2.0)
"""Learning-rate factors of stages 2 to 6 and of biases where these start from random weights
(authors' Caffe schedule)."""

SMALLEST_SCALE = 1e-3
"""Relative steps treat a tensor of smaller weights as if it had this root mean square, Adafactor's
constant (arXiv 1804.04235)."""


def make_optimizer(network: nn.Module, settings: TrainSettings, fresh_stages: bool) -> Adam:
    """Adam with a group per learning rate.

    Args:
        fresh_stages: whether the stages start from random weights.
    """
    late, bias = FRESH_MULTIPLIERS if fresh_stages else (1.0, 1.0)
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        multiplier = (late if in_late_stage(name) else 1.0) * (
            bias if name.endswith(".bias") else 1.0
        )
        groups.setdefault(multiplier, []).append(parameter)
    kind = RelativeAdam if settings.relative_rates else Adam
    return kind(
        [
            {"params": parameters, "lr": settings.learning_rate * multiplier}
            for multiplier, parameters in groups.items()
        ]
    )


class RelativeAdam(Adam):
    """Adam whose step for a weight is relative to the initial weights of its channels.

    With batch norm folded into them, channels of one layer differ a hundredfold in scale; steps of
    one size in all of them destroy the small ones.
    """

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups)
        self.scales = {
            parameter: channel_scale(parameter.detach())
            for group in groups
            for parameter in group["params"]
        }

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        before = [parameter.clone() for parameter in self.scales]
        result = super().step(closure)
        for (parameter, scale), old in zip(self.scales.items(), before, strict=True):
            parameter.copy_(old + scale * (parameter - old))
        return result


def channel_scale(weight: torch.Tensor) -> torch.Tensor:
    """The root mean square around each weight: of its output and its input channel.

    Their product over that of the whole tensor, as Adafactor factors squares (arXiv 1804.04235);
    of a bias that of the whole.
    """
    squares = weight.square()
    whole = squares.mean().clamp(min=SMALLEST_SCALE**2)
    if weight.ndim < 2:
        return whole.sqrt().expand_as(weight)
    inside = tuple(range(2, weight.ndim))
    rows = squares.mean((1, *inside), keepdim=True)
    columns = squares.mean((0, *inside), keepdim=True)
    return (rows * columns / whole).sqrt().expand_as(weight)


def in_late_stage(name: str) -> bool:
    """Whether a parameter belongs to the stages 2 to 6, of either network."""
    return bool(re.match(r"block[2-6]_|(paf|heatmap)_blocks\.[1-5]\.", name))


def make_schedule(optimizer: Adam, settings: TrainSettings, total_steps: int) -> LambdaLR:
    """Every group's learning rate times `rate_factor`."""
    return LambdaLR(optimizer, lambda step: rate_factor(step, total_steps, settings.warmup))


def rate_factor(step: int, total_steps: int, warmup: float) -> float:
    """Rises linearly over the warm-up (a share of the steps), then falls to 0 along a cosine."""
    warm = math.ceil(warmup * total_steps)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total_steps - warm)))


def make_average(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of a network's weights; batch-norm statistics are copied.

    The decay rises to its value, so that the first weights are soon forgotten:
    min(decay, (1 + step) / (10 + step)), as in TensorFlow's ExponentialMovingAverage.
    """

    def update(averaged: Sequence[torch.Tensor], current: Sequence[torch.Tensor], step) -> None:
        now = min(decay, (1 + int(step)) / (10 + int(step)))
        get_ema_multi_avg_fn(now)(averaged, current, step)

    return AveragedModel(network, multi_avg_fn=update)
