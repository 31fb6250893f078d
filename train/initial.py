"""What a training starts from: a network and the preprocessing its weights belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from pose.errors import UserError
from pose.networks import MobileNetThin, PoseNetwork, build_network
from pose.preprocessing import PREPROCESSINGS, Preprocessing
from train.settings import TrainSettings

VGG_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21)
"""torchvision's indices of VGG-19's conv1_1 to conv4_2, which are also `OpenPoseNet`'s."""


@dataclass(frozen=True)
class Start:
    """A network to train.

    Attributes:
        network: fresh or with loaded weights, on the CPU.
        preprocessing: the normalisation that the weights belong to.
        fresh_stages: whether the stages start from random weights.
        description: a few words for the log.
        licence: of the weights started from; "" where there are none.
        shift: pixels by which the weights answer too far right and down; training keeps it, so
            that none of it is spent on moving every map by a fraction of a cell.
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


def make_start(settings: TrainSettings) -> Start:
    """Builds the network and gives it the weights that `--init` names.

    Raises:
        UserError: the weights are missing or of another network.
    """
    torch.manual_seed(settings.seed)
    init = settings.start
    own = PREPROCESSINGS["imagenet" if settings.network == "openpose" else "raw-bgr"]
    if init == "none":
        return Start(fresh_network(settings.network), own, True, "fresh weights")
    if init == "imagenet":
        return with_vgg(torchvision_vgg(), "ImageNet VGG-19 (torchvision)")
    if Path(init).is_file() and (features := vgg_features(Path(init))):
        if settings.network != "openpose":
            raise UserError(f"{init} holds VGG-19 features; they fit --network openpose only.")
        return with_vgg(features, f"VGG-19 features of {Path(init).name}")
    from pose.weights import load_weights

    loaded = load_weights(init)
    if loaded.network.name != settings.network:
        raise UserError(
            f"{init} is a {loaded.network.name}; add --network {loaded.network.name} to go on "
            "with it."
        )
    network = loaded.network.train()
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    return Start(
        network,
        loaded.preprocessing,
        False,
        f"the weights {init}",
        loaded.card.licence,
        loaded.shift,
    )


def fresh_network(name: str) -> PoseNetwork:
    """A network to train from scratch: mobilenet-thin gets batch norm, folded away when saved."""
    return MobileNetThin(batch_norm=True) if name == "mobilenet-thin" else build_network(name)


def same_network(network: PoseNetwork) -> PoseNetwork:
    """A network of the same shape with its own, fresh weights."""
    if isinstance(network, MobileNetThin):
        return MobileNetThin(batch_norm=isinstance(network.stem_norm, nn.BatchNorm2d))
    return build_network(network.name)


def with_vgg(features: dict[str, torch.Tensor], description: str) -> Start:
    """An OpenPoseNet whose first ten convolutions are VGG-19's."""
    network = build_network("openpose")
    own = network.feature.model.state_dict()
    for index in VGG_CONVOLUTIONS:
        for kind in ("weight", "bias"):
            value = features[f"features.{index}.{kind}"].float()
            if value.shape != own[f"{index}.{kind}"].shape:
                raise UserError(f"features.{index}.{kind} has not VGG-19's shape; use VGG-19.")
            own[f"{index}.{kind}"].copy_(value)
    return Start(network, PREPROCESSINGS["imagenet"], True, description)


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
        return None  # whatever it is, the loader of pose checkpoints says it better
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
    """The pretrained layers that `--freeze-epochs` holds."""
    if isinstance(network, MobileNetThin):
        return [network.stem, network.stem_norm, network.backbone]
    return [network.feature.model[: VGG_CONVOLUTIONS[-1] + 2]]
