"""What a figure was measured with: the machine, the libraries and the program."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import pose
from pose.engines.device import processor_name

LIBRARIES = ("torch", "numpy", "opencv-python-headless", "pillow", "pycocotools")


def hardware_line(device: torch.device) -> str:
    """The device that ran the network, in one line."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    return f"{processor_name()}, cores: {os.cpu_count()}, threads: {torch.get_num_threads()}"


def library_versions() -> dict[str, str]:
    """Versions of Python and of what can change a figure."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "unknown"
    return versions


def program_sha256() -> str:
    """One digest of the sources of `pose`: equal programs find equal people."""
    folder = Path(pose.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()
