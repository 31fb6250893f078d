"""`python -m train.preview`: augmented samples with their targets, as one picture.

Each row: the crop with its keypoints, the strongest keypoint target, the length of the PAFs, the
mask (ignored cells in red). A wrong flip, mask, shift or scale shows at a glance.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from pose.drawing.skeletons import draw_people
from pose.drawing.tinting import tint
from pose.errors import UserError
from pose.files import write_bytes
from pose.geometry import STRIDE
from pose.networks.build import StageMaps
from pose.person import Person
from pose.skeleton import NUM_KEYPOINTS
from train.data.dataset import CropDataset, Sample, collate, jittered
from train.data.order import Order
from train.data.read import chosen_data
from train.data.targets import make_targets
from train.options import add_options, from_mapping
from train.settings import TrainSettings


def preview(settings: TrainSettings, samples: int = 10) -> np.ndarray:
    """RGB uint8 picture of the first samples of the training's first epoch."""
    data = chosen_data(settings)
    for note in data.notes:
        print(note, file=sys.stderr)
    dataset = CropDataset(data, settings)
    draws = Order(len(dataset), samples, settings.seed).epoch(0)[0]
    made = [dataset.sample(draw) for draw in draws]
    batch = collate(made)
    targets = make_targets(batch.keypoints, (settings.crop // STRIDE,) * 2)
    crops = jittered(batch.images, batch.jitter).round().byte().numpy()
    rows = [
        row(sample, crop, StageMaps(pafs, heatmaps))
        for sample, crop, pafs, heatmaps in zip(made, crops, *targets, strict=True)
    ]
    half = -(-len(rows) // 2)
    rows += [np.zeros_like(rows[0])] * (2 * half - len(rows))
    return np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])])


def row(sample: Sample, crop: np.ndarray, targets: StageMaps) -> np.ndarray:
    """One sample: crop with keypoints, heatmaps, PAFs, mask; each as large as the crop."""
    people = [Person(keypoints, 1.0) for keypoints in sample.keypoints]
    heatmap = targets.heatmaps[:NUM_KEYPOINTS].amax(0).numpy()
    pafs = targets.pafs.unflatten(0, (-1, 2)).norm(dim=1).amax(0).numpy()
    named = crop.copy()
    cv2.putText(named, sample.name, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1)
    return np.hstack(
        [
            draw_people(crop, people),
            tinted(crop, heatmap, (255, 255, 0)),
            tinted(crop, pafs, (0, 255, 255)),
            tinted(named, 1 - sample.mask / 255, (255, 0, 0)),
        ]
    )


def tinted(image: np.ndarray, cells: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    """The image dimmed, with a map (46, 46) of 0..1 over it in one colour."""
    strength = cv2.resize(cells.astype(np.float32), image.shape[1::-1])
    dark = (image * 0.6).astype(np.uint8)
    return tint(dark, np.full_like(image, color), strength, 1.0)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 2 for a user's mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m train.preview",
        description="Draw augmented samples with their targets. --output names the picture; the "
        "other options are those of python -m train.",
    )
    add_options(parser)
    parser.add_argument("--samples", type=int, default=10, help="How many. [10]")
    arguments = vars(parser.parse_args(argv))
    samples = arguments.pop("samples")
    try:
        if samples < 1:
            raise UserError("--samples must be at least 1.")
        settings = from_mapping(arguments)
        output = Path(settings.output)
        if output.suffix.lower() not in (".png", ".jpg", ".jpeg"):
            raise UserError(f"--output {output} must end in .png or .jpg.")
        picture = preview(settings, samples)
        _, encoded = cv2.imencode(output.suffix, picture[..., ::-1])
        write_bytes(output, encoded.tobytes())
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{samples} samples in {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
