"""Parameter groups, learning rate, moving average of the weights."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch
from torch import nn

from train.settings import TrainSettings

FRESH_MULTIPLIERS = (4.0, 2.0)
"""Learning-rate factors of stages 2 to 6 and of biases (authors' Caffe schedule). They are meant
for stages that start from nothing; from a pose checkpoint both are 1."""


SMALLEST_SCALE = 1e-3
"""Relative rates treat tensors of smaller weights as if they had this root mean square; Adafactor's
constant (arXiv 1804.04235), whose relative step size this is."""


def parameter_groups(network: nn.Module, settings: TrainSettings, fresh_stages: bool) -> list[dict]:
    """Groups with `multiplier` and `weight_decay`: late stages or not, biases and norms or not.

    With relative rates every tensor is a group of its own, and its scale is in the multiplier.
    """
    usual = FRESH_MULTIPLIERS if fresh_stages else (1.0, 1.0)
    stage = usual[0] if settings.stage_multiplier is None else settings.stage_multiplier
    bias = usual[1] if settings.bias_multiplier is None else settings.bias_multiplier
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        is_bias = name.endswith(".bias")
        is_weight = not is_bias and parameter.ndim > 1
        multiplier = (stage if in_late_stage(name) else 1.0) * (bias if is_bias else 1.0)
        if settings.relative_rates:
            scale = parameter.detach().square().mean().sqrt().item()
            multiplier *= max(scale, SMALLEST_SCALE)
        decay = settings.weight_decay if is_weight else 0.0
        groups.setdefault((multiplier, decay), []).append(parameter)
    return [
        {"params": parameters, "multiplier": multiplier, "weight_decay": decay}
        for (multiplier, decay), parameters in groups.items()
    ]


def in_late_stage(name: str) -> bool:
    """Whether a parameter belongs to the stages 2 to 6, of either network."""
    return bool(re.match(r"block[2-6]_|(paf|heatmap)_blocks\.[1-5]\.", name))


def make_optimizer(settings: TrainSettings, groups: list[dict]) -> torch.optim.Optimizer:
    """The optimiser that the settings name; `set_rate` gives it its rates."""
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.peak_rate, momentum=0.9)
    kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=settings.peak_rate)


def learning_rate(settings: TrainSettings, step: int, total: int) -> float:
    """The rate of a step (from 0), before a group's multiplier.

    It rises linearly over the warm-up and falls to 0 along half a cosine, or stays.
    """
    warm = math.ceil(settings.warmup * total)
    if step < warm:
        return settings.peak_rate * (step + 1) / warm
    if settings.schedule == "constant":
        return settings.peak_rate
    share = (step - warm) / max(1, total - warm)
    return settings.peak_rate * 0.5 * (1 + math.cos(math.pi * share))


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives every group the rate times its multiplier."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["multiplier"]


class MovingAverage:
    """Exponential moving average of a network's weights; batch-norm statistics are copied.

    The decay starts low and rises to its value, so that the first weights are soon forgotten:
    min(decay, (1 + step) / (10 + step)), as in TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {k: v.detach().clone() for k, v in network.state_dict().items()}
        self.averaged = {name for name, _ in network.named_parameters()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Takes in the weights after optimiser step `step` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            if name in self.averaged:
                self.state[name].lerp_(value, 1 - decay)
            else:
                self.state[name].copy_(value)

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Takes over a saved average."""
        for name, value in state.items():
            self.state[name].copy_(value)
