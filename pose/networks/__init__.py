"""The networks, by the name they have in the catalogue and in checkpoints' metadata."""

from __future__ import annotations

from pose.names import MOBILENET_THIN, OPENPOSE
from pose.networks.base import PoseNetwork, StageMaps
from pose.networks.mobilenet_thin import MobileNetThin
from pose.networks.openpose import OpenPoseNet

NETWORKS: dict[str, type[PoseNetwork]] = {
    OPENPOSE: OpenPoseNet,
    MOBILENET_THIN: MobileNetThin,
}

__all__ = ["NETWORKS", "MobileNetThin", "OpenPoseNet", "PoseNetwork", "StageMaps", "build_network"]


def build_network(name: str) -> PoseNetwork:
    """A network with fresh weights.

    Raises:
        ValueError: no network has that name.
    """
    if name not in NETWORKS:
        raise ValueError(f"no network is called {name!r}; the names are: {', '.join(NETWORKS)}")
    return NETWORKS[name]()
