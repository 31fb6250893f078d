"""The networks, by the name they have in the catalogue and in checkpoints' metadata."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.overrides import TorchFunctionMode

from pose.networks.base import PoseNetwork, StageMaps
from pose.networks.mobilenet_thin import MobileNetThin
from pose.networks.names import MOBILENET_THIN, OPENPOSE
from pose.networks.openpose import OpenPoseNet

NETWORKS: dict[str, type[PoseNetwork]] = {
    OPENPOSE: OpenPoseNet,
    MOBILENET_THIN: MobileNetThin,
}

__all__ = [
    "NETWORKS",
    "MobileNetThin",
    "OpenPoseNet",
    "PoseNetwork",
    "StageMaps",
    "build_network",
    "filled_network",
    "meta_network",
]


def build_network(name: str) -> PoseNetwork:
    """A network with fresh weights.

    Raises:
        ValueError: no network has that name.
    """
    if name not in NETWORKS:
        raise ValueError(f"no network is called {name!r}; the names are: {', '.join(NETWORKS)}")
    return NETWORKS[name]()


def meta_network(name: str, batch_norm: bool = False) -> PoseNetwork:
    """A network without memory for its weights, for its shapes or to be filled."""
    with torch.device("meta"), WithoutInitialisation():
        return MobileNetThin(batch_norm=True) if batch_norm else build_network(name)


def filled_network(name: str, state: Mapping[str, torch.Tensor]) -> PoseNetwork:
    """A network in eval mode that shares the memory of these weights."""
    network = meta_network(name)
    network.load_state_dict(dict(state), assign=True)
    return network.eval()


class WithoutInitialisation(TorchFunctionMode):
    """Skips the initialisation of weights, which on the meta device imports 150 MB of torch."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in ("uniform_", "normal_", "zero_", "fill_"):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
