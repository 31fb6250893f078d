"""Running a network: RGB uint8 pictures in, maps as NumPy arrays out."""

from __future__ import annotations

import threading
from typing import NamedTuple, Protocol

import numpy as np
import torch

from pose.errors import UserError
from pose.networks import PoseNetwork
from pose.preprocessing import Preprocessing


class MapArrays(NamedTuple):
    """One stage's maps of a batch: float32 PAFs (N, 38, h, w) and heatmaps (N, 19, h, w)."""

    pafs: np.ndarray
    heatmaps: np.ndarray


class Engine(Protocol):
    """Whatever runs a network."""

    name: str

    def run(self, pictures: np.ndarray, all_stages: bool = False) -> list[MapArrays]:
        """Maps of RGB uint8 pictures (N, H, W, 3), H and W multiples of 8.

        Returns every stage's maps, or only the last stage's.
        """
        ...


def pick_device(device: str) -> torch.device:
    """The device that "auto", "cpu", "cuda" or "cuda:1" means.

    Raises:
        UserError: the device does not exist here.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        picked = torch.device(device)
    except RuntimeError:
        picked = torch.device("meta")
    if picked.type not in ("cpu", "cuda"):
        raise UserError(f"no device is called {device!r}: choose auto, cpu or cuda")
    if picked.type == "cuda" and not torch.cuda.is_available():
        raise UserError("no CUDA device was found on this machine: choose --device cpu or auto")
    if picked.type == "cuda" and (picked.index or 0) >= torch.cuda.device_count():
        raise UserError(f"this machine has {torch.cuda.device_count()} CUDA device(s), no {picked}")
    return picked


class TorchEngine:
    """PyTorch in float32 on the CPU, under float16 autocast on CUDA."""

    name = "torch"

    def __init__(
        self, network: PoseNetwork, preprocessing: Preprocessing, device: torch.device
    ) -> None:
        self.device = device
        self.preprocessing = preprocessing
        self.network = network.to(device, memory_format=torch.channels_last).eval()
        # One photo at a time: two at once only fight for the same cores or GPU memory.
        self._lock = threading.Lock()

    @torch.inference_mode()
    def run(self, pictures: np.ndarray, all_stages: bool = False) -> list[MapArrays]:
        """See `Engine.run`."""
        with self._lock:
            images = torch.from_numpy(np.ascontiguousarray(pictures)).to(self.device)
            inputs = self.preprocessing(images).contiguous(memory_format=torch.channels_last)
            cuda = self.device.type == "cuda"
            with torch.autocast("cuda", torch.float16, enabled=cuda):
                stages = self.network(inputs)
            return [
                MapArrays(*(maps.float().contiguous().cpu().numpy() for maps in stage))
                for stage in (stages if all_stages else stages[-1:])
            ]
