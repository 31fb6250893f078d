"""What the figures were measured on and with."""

from __future__ import annotations

import os
import platform

import torch

from pose.engines.choice import installed
from pose.engines.device import cpu_has_bf16, processor_name

LIBRARIES = ("torch", "openvino", "onnxruntime", "numpy", "opencv-python-headless")


def machine_facts(device: torch.device) -> dict[str, str]:
    """The machine and the versions, in words."""
    facts = {
        "processor": processor_name(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "bf16 in the processor": "yes" if cpu_has_bf16() else "no",
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: installed(name) for name in LIBRARIES},
    }
    if hasattr(os, "getloadavg"):
        facts["load average at the start"] = f"{os.getloadavg()[0]:.1f}"
    if device.type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name(device)
        facts["cuda"] = str(torch.version.cuda)
    return facts
