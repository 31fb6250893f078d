"""The network under OpenVINO, Intel's runtime for CPUs of any maker."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pose.engines.base import MapArrays, concatenated
from pose.networks.preprocessing import Preprocessing

INSTALL = "the engine openvino needs one more package: pip install openvino"

TELEMETRY = "openvino_telemetry"


def import_openvino() -> Any:
    """The package, kept from telling its makers about the import.

    With `openvino_telemetry`, which it depends on, importing it writes a client id into the user's
    home and sends an event. Without, it takes a stub of its own.
    """
    if "openvino" in sys.modules or TELEMETRY in sys.modules:
        import openvino

        return openvino
    # With None in its place importing it fails, as where it is not installed.
    hidden: dict[str, Any] = {TELEMETRY: None}
    sys.modules.update(hidden)
    try:
        import openvino
    finally:
        del sys.modules[TELEMETRY]
    return openvino


_one_core = threading.Lock()
_cores: list[Any] = []


def shared_core() -> Any:
    """OpenVINO's core, made once and kept as long as the process lives.

    With its last user gone, its CPU plugin unmaps the stack that it had set for the signals of the
    thread that first compiled. Gone in another thread, it leaves that stack registered, and the
    next signal (a Ctrl-C, the end of a child) kills the process.
    """
    with _one_core:
        if not _cores:
            _cores.append(import_openvino().Core())
        return _cores[0]


class OpenVinoEngine:
    """An exported network, compiled for this processor with open height and width.

    A size that was not seen before costs about half a run more, once.
    """

    name = "openvino"

    def __init__(self, path: Path, preprocessing: Preprocessing, precision: str) -> None:
        self.preprocessing = preprocessing
        self.precision = precision
        self._model = shared_core().read_model(path)
        self._last = self._compiled(self._model.outputs[-2:])
        self._every: Any = None
        self._lock = threading.Lock()

    def _compiled(self, outputs: list) -> Any:
        model = import_openvino().Model(outputs, self._model.get_parameters(), "pose")
        return shared_core().compile_model(
            model,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                # The file says which layers are bf16; nothing else is to be rounded.
                "INFERENCE_PRECISION_HINT": "f32",
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            },
        )

    def run(self, pictures: np.ndarray, all_stages: bool = False) -> list[MapArrays]:
        """See `Engine.run`."""
        with self._lock:
            if all_stages and self._every is None:
                self._every = self._compiled(self._model.outputs)
            compiled = self._every if all_stages else self._last
            return concatenated([self._run(compiled, picture) for picture in pictures])

    def _run(self, compiled: Any, picture: np.ndarray) -> list[MapArrays]:
        with torch.inference_mode():
            image = torch.from_numpy(np.ascontiguousarray(picture[None]))
            inputs = self.preprocessing(image).contiguous().numpy()
        found = compiled([inputs])
        arrays = [np.array(found[i]) for i in range(len(compiled.outputs))]
        return [MapArrays(*pair) for pair in zip(arrays[::2], arrays[1::2], strict=True)]
