"""The network as an ONNX file with every stage's maps, for engines other than PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch
from torch import nn

from pose.engines.bf16 import bf16_copy
from pose.engines.cache import cache_dir, cache_key, prune
from pose.errors import UserError
from pose.saving import write_atomically
from pose.weights import LoadedWeights

T = TypeVar("T")

EXPORT_VERSION = "1"
"""Changes whenever the exported graph does."""

OPSET = 17


class AllStages(nn.Module):
    """(1, 3, H, W) → PAFs and heatmaps of the first stage, of the second, …"""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(maps for stage in self.network(images) for maps in stage)


def write_onnx(network: nn.Module, stages: int, path: Path) -> None:
    """Writes the graph; height and width stay open, a picture runs alone."""
    names = [f"{kind}{stage}" for stage in range(1, stages + 1) for kind in ("pafs", "heatmaps")]
    sides = {2: "rows", 3: "columns"}
    with warnings.catch_warnings(), torch.inference_mode():
        # The tracer's remarks on its own age and on constants it does not fold.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            AllStages(network).eval(),
            (torch.zeros(1, 3, 64, 96),),
            str(path),
            input_names=["images"],
            output_names=names,
            dynamic_axes={"images": {2: "height", 3: "width"}, **dict.fromkeys(names, sides)},
            opset_version=OPSET,
            dynamo=False,
        )


def from_export(weights: LoadedWeights, precision: str, make: Callable[[Path], T]) -> T:
    """What `make` makes of the network's ONNX file, which is exported on first use.

    A kept file that `make` cannot use is exported anew; where no file can be kept, it goes to a
    temporary folder.

    Args:
        weights: on the CPU, as they were loaded.
        precision: "fp32", or "bf16" as `bf16_copy` types it.
        make: reads all of the file that it needs.
    """

    def write(target: Path) -> None:
        network = weights.network if precision == "fp32" else bf16_copy(weights.network)
        write_onnx(network, weights.network.num_stages, target)

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
