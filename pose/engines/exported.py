"""The network as an ONNX file with every stage's maps, for engines other than PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch

from pose.engines.bf16 import bf16_copy
from pose.engines.cache import cache_dir, cache_key, prune
from pose.errors import UserError
from pose.files import write_atomically
from pose.networks.onnx import write_onnx
from pose.weights.load import LoadedWeights

T = TypeVar("T")

EXPORT_VERSION = "1"
"""Changes whenever the exported graph does."""


def from_export(weights: LoadedWeights, precision: str, make: Callable[[Path], T]) -> T:
    """What `make` makes of the network's ONNX file, which is exported on first use.

    A cached file that `make` cannot use is exported again; where the cache cannot be written, the
    file goes to a temporary folder.

    Args:
        weights: on the CPU, as they were loaded.
        precision: "fp32", or "bf16" as `bf16_copy` types it.
        make: reads all of the file that it needs.
    """

    def write(target: Path) -> None:
        network = weights.network if precision == "fp32" else bf16_copy(weights.network)
        stages = range(1, weights.network.num_stages + 1)
        write_onnx(network, [f"{kind}{s}" for s in stages for kind in ("pafs", "heatmaps")], target)

    key = cache_key(
        EXPORT_VERSION, weights.sha256, weights.network.name, precision, torch.__version__
    )
    path = cache_dir() / f"{weights.network.name}-{precision}-{key}.onnx"
    if path.is_file():
        # Damaged by a disk, or deleted by another process in this moment.
        with suppress(Exception):
            return make(path)
    try:
        write_atomically(path, write)
    except (UserError, RuntimeError):  # a folder that cannot be written, or a disk that is full
        with TemporaryDirectory() as folder:
            target = Path(folder) / path.name
            write(target)
            return make(target)
    prune(path.parent, new=path)
    return make(path)
