"""Networks as ONNX files, for engines other than PyTorch."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

OPSET = 17


class FlatMaps(nn.Module):
    """(N, 3, H, W) → the last `count` maps of a network as one tuple, PAFs before heatmaps."""

    def __init__(self, network: nn.Module, count: int) -> None:
        super().__init__()
        self.network = network
        self.count = count

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(maps for stage in self.network(images) for maps in stage)[-self.count :]


def write_onnx(
    network: nn.Module, outputs: list[str], path: Path, *, any_batch: bool = False
) -> None:
    """Writes the graph from `images` (N, 3, H, W) to the last maps; H and W stay open.

    Args:
        outputs: names of the last maps, as many as the file should have.
        any_batch: leaves N open too; else it is 1, which engines optimise better.
    """
    batch = {0: "batch"} if any_batch else {}
    maps = {**batch, 2: "rows", 3: "columns"}
    with warnings.catch_warnings(), torch.inference_mode():
        # The tracer warns that it is old, and of constants that it does not fold.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            FlatMaps(network, len(outputs)).eval(),
            (torch.zeros(1, 3, 64, 96),),
            str(path),
            input_names=["images"],
            output_names=outputs,
            dynamic_axes={
                "images": {**batch, 2: "height", 3: "width"},
                **dict.fromkeys(outputs, maps),
            },
            opset_version=OPSET,
            dynamo=False,
        )
