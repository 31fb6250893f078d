"""python -m pose export: weights of any known format as .safetensors, .pth or .onnx."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pose.cli.weights import add_weights_dir
from pose.errors import UserError
from pose.networks.preprocessing import PREPROCESSINGS

if TYPE_CHECKING:
    from pose.weights.load import LoadedWeights

ENDINGS = (".safetensors", ".pth", ".pt", ".onnx")

TOLERANCE = 1e-3
"""Largest difference of a map's value between the ONNX file and PyTorch."""

INSTALL = "ONNX files need two more packages: pip install onnx openvino"


def add_parsers(subparsers: argparse._SubParsersAction) -> None:
    """Declares `export`."""
    parser = subparsers.add_parser(
        "export",
        help="convert weights to .safetensors, .pth or .onnx",
        description="Converts weights of any known format.",
    )
    parser.add_argument(
        "--weights", required=True, metavar="NAME|FILE|HUB_ID", help="the weights to convert"
    )
    parser.add_argument(
        "--output", required=True, metavar="FILE", help="ends in .safetensors, .pth or .onnx"
    )
    parser.add_argument(
        "--preprocessing",
        choices=list(PREPROCESSINGS),
        help="what the weights were trained with, where the file does not say or is wrong",
    )
    parser.add_argument("--half", action="store_true", help="store float16 (not for ONNX)")
    add_weights_dir(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the file and prints the notes on it."""
    notes = export_weights(
        args.weights,
        args.output,
        preprocessing=args.preprocessing,
        weights_dir=args.weights_dir,
        half=args.half,
    )
    for note in notes:
        print(note)
    print(f"Wrote {args.output} ({Path(args.output).stat().st_size / 1e6:.1f} MB).")
    return 0


def export_weights(
    name: str,
    output: str | Path,
    *,
    preprocessing: str | None = None,
    weights_dir: str | Path | None = None,
    half: bool = False,
) -> tuple[str, ...]:
    """Writes weights in the format that the ending of `output` names; returns notes for the user.

    Raises:
        UserError: unknown weights or ending, or a file that cannot be written.
    """
    from pose.weights.load import load_weights
    from pose.weights.save import save_weights

    output = Path(output)
    if output.suffix not in ENDINGS:
        raise UserError(f"{output} should end in one of {', '.join(ENDINGS)}")
    if output.is_dir():
        raise UserError(f"{output} is a folder; name a file in it")
    if half and output.suffix == ".onnx":
        raise UserError("ONNX files are written in float32 only; leave out --half")
    loaded = load_weights(name, preprocessing=preprocessing, weights_dir=weights_dir)
    if output.suffix == ".onnx":
        difference = export_onnx(loaded, output)
        checked = f"The maps differ from PyTorch's by at most {difference:.1e} on a photo."
        return (*loaded.notes, checked)
    save_weights(
        output,
        loaded.network,
        preprocessing=loaded.preprocessing.name,
        metadata=loaded.metadata,
        half=half,
    )
    return loaded.notes


def export_onnx(loaded: LoadedWeights, path: Path) -> float:
    """Writes an ONNX file and returns how far its maps in OpenVINO are from PyTorch's.

    The input `images` is float32 (batch, 3, height, width), normalised as the file's metadata
    says, height and width multiples of 8; the outputs are `pafs` (batch, 38, rows, columns) and
    `heatmaps` (batch, 19, rows, columns).

    Raises:
        UserError: a package is missing, the file cannot be written, or the maps differ by more
            than `TOLERANCE`; then no file is left.
    """
    try:
        import onnx
        import openvino  # noqa: F401
    except ImportError:
        raise UserError(INSTALL) from None
    from pose.files import write_atomically
    from pose.networks.onnx import write_onnx
    from pose.weights.known_files import FORMAT_MARKER

    difference = 0.0

    def write(temporary: Path) -> None:
        nonlocal difference
        write_onnx(loaded.network, ["pafs", "heatmaps"], temporary, any_batch=True)
        model = onnx.load(temporary)
        onnx.helper.set_model_props(
            model,
            {
                **loaded.metadata,
                "format": FORMAT_MARKER,
                "network": loaded.network.name,
                "preprocessing": loaded.preprocessing.name,
                "preprocessing_formula": loaded.preprocessing.formula,
            },
        )
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


def max_difference(loaded: LoadedWeights, path: Path) -> float:
    """Largest difference on a photo and its mirror image as a batch, and on a corner of it."""
    import numpy as np
    import torch

    from pose.engines.bf16 import probe_picture
    from pose.engines.openvino_engine import shared_core

    compiled = shared_core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    photo = probe_picture(loaded.preprocessing)
    worst = 0.0
    for pictures in (np.concatenate([photo, photo[:, :, ::-1]]), photo[:, :104, :136]):
        inputs = loaded.preprocessing(torch.from_numpy(np.ascontiguousarray(pictures)))
        inputs = inputs.contiguous()
        with torch.inference_mode():
            expected = loaded.network(inputs)[-1]
        found = compiled([inputs.numpy()])
        for i, maps in enumerate(expected):
            worst = max(worst, float(np.abs(found[i] - maps.numpy()).max()))
    return worst
