"""ONNX files of a network, checked against PyTorch on a photo before they are kept."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pose.errors import UserError
from pose.geometry import fit
from pose.known_files import FORMAT_MARKER
from pose.preprocessing_guess import example_photo
from pose.saving import write_atomically
from pose.weights import LoadedWeights

TOLERANCE = 1e-3
"""Largest difference of a map's value between ONNX and PyTorch."""

OPSET = 17
INSTALL = "ONNX files need two more packages: pip install onnx onnxruntime"


class LastStage(nn.Module):
    """(N, 3, H, W) → the last stage's PAFs and heatmaps, as a tuple."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return tuple(self.network(images)[-1])


def export_onnx(loaded: LoadedWeights, path: Path) -> float:
    """Writes an ONNX file and returns how far its maps are from PyTorch's on photos.

    The input `images` is float32 (batch, 3, height, width), normalised as the file's metadata
    says, height and width multiples of 8; the outputs are `pafs` (batch, 38, rows, columns) and
    `heatmaps` (batch, 19, rows, columns).

    Raises:
        UserError: a package is missing, the place cannot be written, or the maps differ by more
            than `TOLERANCE`; then no file is left.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError:
        raise UserError(INSTALL) from None
    difference = 0.0

    def write(temporary: Path) -> None:
        nonlocal difference
        trace(loaded.network, temporary)
        model = onnx.load(temporary)
        onnx.helper.set_model_props(model, texts(loaded))
        onnx.checker.check_model(model)
        onnx.save(model, temporary)
        difference = max_difference(loaded, temporary)
        if not difference <= TOLERANCE:
            raise UserError(
                f"the ONNX maps differ from PyTorch's by {difference:.2g}, more than {TOLERANCE}; "
                f"{path} was not written"
            )

    write_atomically(path, write)
    return difference


def trace(network: nn.Module, path: Path) -> None:
    names = {0: "batch", 2: "rows", 3: "columns"}
    with warnings.catch_warnings(), torch.inference_mode():
        # The tracer's remarks on its own age and on constants it does not fold.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LastStage(network).eval(),
            (torch.zeros(1, 3, 64, 96),),
            str(path),
            input_names=["images"],
            output_names=["pafs", "heatmaps"],
            dynamic_axes={
                "images": {0: "batch", 2: "height", 3: "width"},
                "pafs": names,
                "heatmaps": names,
            },
            opset_version=OPSET,
            dynamo=False,
        )


def texts(loaded: LoadedWeights) -> dict[str, str]:
    """The metadata of the file."""
    return {
        **(loaded.card.metadata or {}),
        "format": FORMAT_MARKER,
        "network": loaded.network.name,
        "preprocessing": loaded.preprocessing.name,
        "preprocessing_formula": loaded.preprocessing.formula,
        "licence": loaded.card.licence,
    }


def max_difference(loaded: LoadedWeights, path: Path) -> float:
    """Largest difference on a photo at two sizes, alone and as a batch with its mirror image."""
    import onnxruntime

    photo = example_photo()
    if photo is None:
        raise UserError("assets/examples has no photo to check the ONNX file with")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    worst = 0.0
    for short_side, batch in ((184, 2), (128, 1)):
        image, _ = fit(photo, short_side, loaded.preprocessing.border())
        images = np.stack([image, image[:, ::-1]][:batch])
        inputs = loaded.preprocessing(torch.from_numpy(images))
        with torch.inference_mode():
            expected = loaded.network(inputs)[-1]
        for ours, theirs in zip(
            expected, session.run(None, {"images": inputs.numpy()}), strict=True
        ):
            worst = max(worst, float(np.abs(ours.numpy() - theirs).max()))
    return worst
