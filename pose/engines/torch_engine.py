"""The network under PyTorch: fp32 or bf16 on the CPU, fp16 or bf16 on CUDA."""

from __future__ import annotations

import threading

import numpy as np
import torch

from pose.engines.base import MapArrays, concatenated
from pose.engines.bf16 import MAX_TOLERANCE, map_error, probe_picture
from pose.engines.device import cpu_has_bf16
from pose.networks.base import PoseNetwork
from pose.networks.preprocessing import Preprocessing

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TorchEngine:
    """PyTorch in channels_last, under autocast unless the precision is fp32.

    Args:
        network: moved to the device.
        precision: "fp32", "bf16", "fp16", or "auto": fp16 on CUDA; on the CPU bf16 where the
            processor has it and the maps of a photo stay within `MAX_TOLERANCE`, otherwise fp32.
    """

    name = "torch"

    def __init__(
        self,
        network: PoseNetwork,
        preprocessing: Preprocessing,
        device: torch.device,
        precision: str = "fp32",
    ) -> None:
        self.device = device
        self.preprocessing = preprocessing
        self.network = network.to(device).to(memory_format=torch.channels_last).eval()
        # One photo at a time: two at once only fight for the same cores or GPU memory.
        self._lock = threading.Lock()
        self.precision = precision if precision != "auto" else self._best_precision()

    def _best_precision(self) -> str:
        if self.device.type == "cuda":
            return "fp16"
        if not cpu_has_bf16():
            return "fp32"
        picture = probe_picture(self.preprocessing)
        error = map_error(self._run(picture, False, "bf16"), self._run(picture, False, "fp32"))
        return "bf16" if error.largest <= MAX_TOLERANCE else "fp32"

    def run(self, pictures: np.ndarray, all_stages: bool = False) -> list[MapArrays]:
        """See `Engine.run`."""
        with self._lock:
            if self.device.type != "cpu":
                return self._run(pictures, all_stages, self.precision)
            # Kernels are chosen by the batch's size and differ in the last bits.
            return concatenated(
                [self._run(picture[None], all_stages, self.precision) for picture in pictures]
            )

    @torch.inference_mode()
    def _run(self, pictures: np.ndarray, all_stages: bool, precision: str) -> list[MapArrays]:
        images = torch.from_numpy(np.ascontiguousarray(pictures)).to(self.device)
        inputs = self.preprocessing(images).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, DTYPES[precision], enabled=precision != "fp32"):
            stages = self.network(inputs)
        return [
            MapArrays(*(maps.float().contiguous().cpu().numpy() for maps in stage))
            for stage in (stages if all_stages else stages[-1:])
        ]
