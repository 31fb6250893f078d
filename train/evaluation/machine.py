"""What metrics were measured with: the machine and the libraries."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

from pose.engines.device import processor_name

LIBRARIES = ("torch", "openvino", "numpy", "opencv-python-headless", "pillow", "pycocotools")


def hardware_line(device: torch.device) -> str:
    """The device that ran the network, in one line."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    return f"{processor_name()}, cores: {os.cpu_count()}, threads: {torch.get_num_threads()}"


def library_versions() -> dict[str, str]:
    """Versions of Python and of what can change a metric."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "unknown"
    return versions
