"""Layers that see their inputs centred, so that training leaves the mean of every channel alone.

Where batch norm is folded away, a change of weights moves the mean of a channel by the change times
the mean of its input, which behind a ReLU is far from 0; a pretrained network bears little of that.
With centred inputs (LeCun et al., "Efficient BackProp", 1998) a layer is W (x - m) + b, computed as
W x + (b - W m), where m is the mean input of the initial network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import nn
from torch.nn.utils import parametrize

from pose.networks.build import PoseNetwork, build_network
from pose.networks.mobilenet_thin import Separable

Convolutions = tuple[nn.Conv2d, ...]


class CentredBias(nn.Module):
    """Makes the bias of a layer out of the bias for centred inputs, which is trained.

    Args:
        convolutions: the layer, the last of which has the bias.
        mean: of its input channels, (C,).
    """

    mean: torch.Tensor

    def __init__(self, convolutions: Convolutions, mean: torch.Tensor) -> None:
        super().__init__()
        self.convolutions = convolutions  # a tuple: they are not modules of this one
        self.register_buffer("mean", mean)

    def forward(self, centred: torch.Tensor) -> torch.Tensor:
        return centred - self.answer_to_mean()

    def right_inverse(self, bias: torch.Tensor) -> torch.Tensor:
        return bias + self.answer_to_mean()

    def answer_to_mean(self) -> torch.Tensor:
        """(outputs,): what the layer makes of its mean input, without bias or border."""
        value = self.mean
        for convolution in self.convolutions:
            kernel = convolution.weight.sum((2, 3))
            value = kernel[:, 0] * value if convolution.groups > 1 else (kernel * value).sum(1)
        return value


@torch.no_grad()
def centre(network: PoseNetwork, images: Iterable[torch.Tensor]) -> None:
    """Centres the layers of a network without batch norm by what it sees in images.

    Its answers stay the same.

    Args:
        images: preprocessed batches (N, 3, H, W).
    """
    means: dict[nn.Module, list[torch.Tensor]] = {}

    def observe(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        means.setdefault(module, []).append(inputs[0].mean((0, 2, 3)))

    found = list(layers(network))
    hooks = [module.register_forward_pre_hook(observe) for module, _ in found]
    for batch in images:
        network(batch)
    for hook in hooks:
        hook.remove()
    for module, convolutions in found:
        bias = CentredBias(convolutions, torch.stack(means[module]).mean(0))
        parametrize.register_parametrization(convolutions[-1], "bias", bias)


def layers(network: PoseNetwork) -> Iterator[tuple[nn.Module, Convolutions]]:
    """Every module that is one linear layer, with its convolutions."""
    inside: set[nn.Module] = set()
    for module in network.modules():
        if isinstance(module, Separable):
            inside |= {module.depthwise, module.pointwise}
            yield module, (module.depthwise, module.pointwise)
        elif isinstance(module, nn.Conv2d) and module not in inside:
            yield module, (module,)


def uncentred(network: PoseNetwork) -> PoseNetwork:
    """A plain network with the same answers, or the network itself if it is plain."""
    if not any(parametrize.is_parametrized(module) for module in network.modules()):
        return network
    plain = build_network(network.name)
    # Not remove_parametrizations: it would take the bias from the copies of a network as well.
    with torch.no_grad():
        for name, value in plain.named_parameters():
            module, _, leaf = name.rpartition(".")
            value.copy_(getattr(network.get_submodule(module), leaf))
    return plain
