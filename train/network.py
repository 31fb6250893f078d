"""The network to train: its initial weights, their preprocessing, and the parts of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from pose.errors import UserError
from pose.networks.build import MobileNetThin, OpenPoseNet, PoseNetwork, build_network
from pose.networks.preprocessing import PREPROCESSINGS, Preprocessing
from pose.weights.load import load_weights
from train.settings import TrainSettings

VGG_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21)
"""torchvision's indices of VGG-19's conv1_1 to conv4_2, which are also `OpenPoseNet`'s."""


@dataclass(frozen=True)
class InitialNetwork:
    """A network to train.

    Attributes:
        network: with fresh or loaded weights, on the CPU.
        preprocessing: the normalisation that the weights belong to.
        fresh_stages: whether the stages start from random weights.
        description: a few words for the log.
        licence: of the loaded weights; "" for others.
        shift: pixels by which the weights' maps lie too far right and down. Targets are shifted by
            the same, so that training does not have to move every map by a fraction of a cell.
    """

    network: PoseNetwork
    preprocessing: Preprocessing
    fresh_stages: bool
    description: str
    licence: str = ""
    shift: tuple[float, float] = (0.0, 0.0)

    def metadata(self) -> dict[str, str]:
        """What a weights file has to keep of it."""
        return {"shift": f"{self.shift[0]:g},{self.shift[1]:g}"} if any(self.shift) else {}


def initial_network(settings: TrainSettings) -> InitialNetwork:
    """Builds the network and loads the weights that `--init` names.

    Raises:
        UserError: the weights are missing or of another network.
    """
    torch.manual_seed(settings.seed)
    init = settings.initial_weights
    if init == "none":
        preprocessing = "imagenet" if settings.network == "openpose" else "raw-bgr"
        network = fresh_network(settings.network)
        return InitialNetwork(network, PREPROCESSINGS[preprocessing], True, "fresh weights")
    if init == "imagenet":
        return with_vgg(torchvision_vgg(), "ImageNet VGG-19 (torchvision)")
    if Path(init).is_file() and (features := vgg_features(Path(init))):
        if settings.network != "openpose":
            raise UserError(f"{init} holds VGG-19 features; they fit --network openpose only.")
        return with_vgg(features, f"VGG-19 features of {Path(init).name}")

    loaded = load_weights(init)
    if loaded.network.name != settings.network:
        raise UserError(
            f"{init} is a {loaded.network.name}; add --network {loaded.network.name} to train it."
        )
    return InitialNetwork(
        loaded.network.train().requires_grad_(True),
        loaded.preprocessing,
        False,
        f"the weights {init}",
        loaded.card.licence,
        loaded.shift,
    )


def fresh_network(name: str) -> PoseNetwork:
    """A network to train from scratch: mobilenet-thin gets batch norm, folded away when saved."""
    return MobileNetThin(batch_norm=True) if name == "mobilenet-thin" else build_network(name)


def has_batch_norm(network: nn.Module) -> bool:
    """Whether it is trained with batch norm, as fresh weights of mobilenet-thin are."""
    return any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def with_vgg(features: dict[str, torch.Tensor], description: str) -> InitialNetwork:
    """An OpenPoseNet whose first ten convolutions are VGG-19's."""
    network = OpenPoseNet()
    own = network.feature.model.state_dict()
    for index in VGG_CONVOLUTIONS:
        for kind in ("weight", "bias"):
            value = features[f"features.{index}.{kind}"].float()
            if value.shape != own[f"{index}.{kind}"].shape:
                raise UserError(
                    f"features.{index}.{kind} does not have VGG-19's shape; use VGG-19."
                )
            own[f"{index}.{kind}"].copy_(value)
    return InitialNetwork(network, PREPROCESSINGS["imagenet"], True, description)


def vgg_features(path: Path) -> dict[str, torch.Tensor] | None:
    """The tensors of a file with torchvision's VGG key names; None for any other file."""
    wanted = [f"features.{i}.{kind}" for i in VGG_CONVOLUTIONS for kind in ("weight", "bias")]
    try:
        if path.suffix == ".safetensors":
            from safetensors import safe_open

            with safe_open(path, "pt") as file:
                keys = set(file.keys())
                return {k: file.get_tensor(k) for k in wanted} if keys >= set(wanted) else None
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        return None  # the loader of pose checkpoints has the better message
    if not isinstance(state, dict) or not state.keys() >= set(wanted):
        return None
    return {k: state[k] for k in wanted}


def torchvision_vgg() -> dict[str, torch.Tensor]:
    """torchvision's ImageNet VGG-19, downloaded on first use.

    Raises:
        UserError: torchvision or the network connection is missing.
    """
    try:
        from torchvision.models import VGG19_Weights

        return VGG19_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
    except (ImportError, OSError, RuntimeError) as error:
        raise UserError(
            f"ImageNet's VGG-19 cannot be fetched ({error}); give a file with --init FILE, or "
            "--init none."
        ) from None


def front_end(network: PoseNetwork) -> list[nn.Module]:
    """The pretrained layers that `--freeze-epochs` freezes."""
    if isinstance(network, OpenPoseNet):
        return [network.feature.model[: VGG_CONVOLUTIONS[-1] + 2]]
    assert isinstance(network, MobileNetThin)
    return [network.stem, network.stem_norm, network.backbone]


def recompute_activations(network: PoseNetwork) -> None:
    """Keeps only the activations between blocks; the backward pass recomputes the others.

    Batch norm then sees each batch twice, so its running statistics follow faster.
    """

    def recomputed(forward: Callable[..., Any], inputs: torch.Tensor) -> Any:
        if not torch.is_grad_enabled():
            return forward(inputs)
        return checkpoint(forward, inputs, use_reentrant=False, preserve_rng_state=False)

    for block in blocks(network):
        block.forward = partial(recomputed, block.forward)


def blocks(network: PoseNetwork) -> list[nn.Module]:
    if isinstance(network, MobileNetThin):
        return [*network.backbone, *network.paf_blocks, *network.heatmap_blocks]
    # OpenPoseNet's are its front end and a block per branch and stage.
    return list(network.children())
