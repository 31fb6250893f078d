"""Running a network: RGB uint8 pictures in, maps as NumPy arrays out.

Engines: PyTorch (any device), OpenVINO and ONNX Runtime (the CPU). `make_engine` chooses.
"""

from pose.engines.base import Engine, MapArrays
from pose.engines.choice import Choice, check_engine, make_engine
from pose.engines.device import pick_device
from pose.engines.pytorch import TorchEngine

__all__ = [
    "Choice",
    "Engine",
    "MapArrays",
    "TorchEngine",
    "check_engine",
    "make_engine",
    "pick_device",
]
