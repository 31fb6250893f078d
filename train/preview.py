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

from pose.errors import UserError
from pose.networks import StageMaps
from pose.skeleton import KEYPOINTS, LIMBS, NUM_KEYPOINTS
from train.dataset import CropDataset, Order, Sample, collate, jittered
from train.run_directory import write_file
from train.settings import TrainSettings, add_options, from_mapping
from train.sources import chosen_data
from train.targets import make_targets


def preview(settings: TrainSettings, samples: int = 10) -> np.ndarray:
    """RGB uint8 picture of the first samples of the training's first epoch."""
    data = chosen_data(settings)
    dataset = CropDataset(data, settings)
    draws = Order(len(dataset), samples, settings.seed).epoch(0)[0]
    made = [dataset[draw] for draw in draws]
    batch = collate(made)
    targets = make_targets(
        batch.keypoints, batch.masks.shape[1:], settings.sigma, settings.paf_width
    )
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
    drawn = crop.copy()
    for person in sample.keypoints:
        draw_person(drawn, person)
    keypoints = targets.heatmaps[:NUM_KEYPOINTS].amax(0).numpy()
    pafs = targets.pafs.unflatten(0, (-1, 2)).norm(dim=1).amax(0).numpy()
    ignored = 1 - sample.mask / 255
    name = crop.copy()
    cv2.putText(name, sample.name, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1)
    return np.hstack(
        [
            drawn,
            tinted(crop, keypoints, (255, 255, 0)),
            tinted(crop, pafs, (0, 255, 255)),
            tinted(name, ignored, (255, 0, 0)),
        ]
    )


def draw_person(image: np.ndarray, person: np.ndarray) -> None:
    """Limbs and keypoints of one person (18, 3), in the skeleton's colours."""
    fixed = [None if v <= 0 else (round(x * 16), round(y * 16)) for x, y, v in person.tolist()]
    for limb in LIMBS:
        a, b = fixed[limb.start], fixed[limb.end]
        if limb.drawn and a and b:
            cv2.line(image, a, b, limb.color, 2, cv2.LINE_AA, 4)
    for keypoint, point in zip(KEYPOINTS, fixed, strict=True):
        if point:
            cv2.circle(image, point, 3 * 16, keypoint.color, -1, cv2.LINE_AA, 4)


def tinted(image: np.ndarray, map_: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    """The image dimmed, with a map (46, 46) of 0..1 over it in one colour."""
    size = image.shape[1::-1]
    weight = cv2.resize(map_.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    weight = weight.clip(0, 1)[..., None]
    return (image * 0.6 * (1 - weight) + np.array(color) * weight).astype(np.uint8)


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
        output.parent.mkdir(parents=True, exist_ok=True)
        write_file(output, lambda file: file.write(encoded.tobytes()))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{arguments['output']} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    print(f"{samples} samples in {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
