"""The network under ONNX Runtime, in fp32: a second opinion, and for machines without OpenVINO."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import torch

from pose.engines.base import MapArrays, joined
from pose.preprocessing import Preprocessing

INSTALL = "the engine onnxruntime needs one more package: pip install onnxruntime"


class OnnxRuntimeEngine:
    """An exported network in a session of ONNX Runtime."""

    name = "onnxruntime"
    precision = "fp32"

    def __init__(self, path: Path, preprocessing: Preprocessing) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        self.preprocessing = preprocessing
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._names = [output.name for output in self._session.get_outputs()]
        self._lock = threading.Lock()

    def run(self, pictures: np.ndarray, all_stages: bool = False) -> list[MapArrays]:
        """See `Engine.run`."""
        with self._lock:
            names = self._names if all_stages else self._names[-2:]
            return joined([self._run(names, picture) for picture in pictures])

    def _run(self, names: list[str], picture: np.ndarray) -> list[MapArrays]:
        with torch.inference_mode():
            image = torch.from_numpy(np.ascontiguousarray(picture[None]))
            inputs = self.preprocessing(image).contiguous().numpy()
        arrays = self._session.run(names, {"images": inputs})
        return [MapArrays(*pair) for pair in zip(arrays[::2], arrays[1::2], strict=True)]
