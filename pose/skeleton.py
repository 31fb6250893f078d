"""The table of the COCO-18 body: keypoints, limbs, channels, colours and mirror pairs.

Everything that needs to know what a channel means (decoding, drawing, export, training targets,
metrics, the page) reads it here; no second list exists. Sources: the channel order of CMU's
OpenPose COCO model (arXiv 1611.08050 and its public Caffe code), the COCO keypoint order and
OKS sigmas of the COCO keypoint evaluation (https://cocodataset.org/#keypoints-eval).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Keypoint:
    """One of the 18 keypoints; its place in `KEYPOINTS` is its heatmap channel."""

    name: str
    mirror: int  # index of the keypoint it becomes in a mirrored photo
    coco: int | None  # index among COCO's 17 keypoints; None for the neck
    sigma: float  # COCO's OKS constant; the neck takes the shoulders'
    color: tuple[int, int, int]  # RGB


@dataclass(frozen=True)
class Limb:
    """A pair of keypoints joined by a part affinity field (PAF).

    Its place in `LIMBS` is its PAF pair: limb i has x in channel 2i and y in channel 2i + 1,
    and the field points from `start` to `end`.
    """

    start: int
    end: int
    mirror: int  # index of the limb it becomes in a mirrored photo
    color: tuple[int, int, int]  # RGB
    drawn: bool = True  # shoulder-ear limbs only help the assembly

    @property
    def name(self) -> str:
        return f"{KEYPOINTS[self.start].name} – {KEYPOINTS[self.end].name}"


KEYPOINTS: tuple[Keypoint, ...] = (
    Keypoint("nose", 0, 0, 0.026, (255, 0, 0)),
    Keypoint("neck", 1, None, 0.079, (255, 85, 0)),
    Keypoint("right shoulder", 5, 6, 0.079, (255, 170, 0)),
    Keypoint("right elbow", 6, 8, 0.072, (255, 255, 0)),
    Keypoint("right wrist", 7, 10, 0.062, (170, 255, 0)),
    Keypoint("left shoulder", 2, 5, 0.079, (85, 255, 0)),
    Keypoint("left elbow", 3, 7, 0.072, (0, 255, 0)),
    Keypoint("left wrist", 4, 9, 0.062, (0, 255, 85)),
    Keypoint("right hip", 11, 12, 0.107, (0, 255, 170)),
    Keypoint("right knee", 12, 14, 0.087, (0, 255, 255)),
    Keypoint("right ankle", 13, 16, 0.089, (0, 170, 255)),
    Keypoint("left hip", 8, 11, 0.107, (0, 85, 255)),
    Keypoint("left knee", 9, 13, 0.087, (0, 0, 255)),
    Keypoint("left ankle", 10, 15, 0.089, (85, 0, 255)),
    Keypoint("right eye", 15, 2, 0.025, (170, 0, 255)),
    Keypoint("left eye", 14, 1, 0.025, (255, 0, 255)),
    Keypoint("right ear", 17, 4, 0.035, (255, 0, 170)),
    Keypoint("left ear", 16, 3, 0.035, (255, 0, 85)),
)
"""Heatmap channels 0-17; channel 18 is the background. Colours are OpenPose's."""

LIMBS: tuple[Limb, ...] = (
    Limb(1, 8, 3, (0, 255, 0)),
    Limb(8, 9, 4, (0, 255, 85)),
    Limb(9, 10, 5, (0, 255, 170)),
    Limb(1, 11, 0, (0, 255, 255)),
    Limb(11, 12, 1, (0, 170, 255)),
    Limb(12, 13, 2, (0, 85, 255)),
    Limb(1, 2, 10, (255, 0, 0)),
    Limb(2, 3, 11, (255, 170, 0)),
    Limb(3, 4, 12, (255, 255, 0)),
    Limb(2, 16, 13, (255, 0, 170), drawn=False),
    Limb(1, 5, 6, (255, 85, 0)),
    Limb(5, 6, 7, (170, 255, 0)),
    Limb(6, 7, 8, (85, 255, 0)),
    Limb(5, 17, 9, (255, 0, 85), drawn=False),
    Limb(1, 0, 14, (0, 0, 255)),
    Limb(0, 14, 16, (85, 0, 255)),
    Limb(0, 15, 15, (255, 0, 255)),
    Limb(14, 16, 18, (170, 0, 255)),
    Limb(15, 17, 17, (255, 0, 170)),
)
"""PAF channel pairs in storage order."""

ASSEMBLY_ORDER: tuple[int, ...] = (6, 10, 7, 8, 11, 12, 0, 1, 2, 3, 4, 5, 14, 15, 17, 16, 18, 9, 13)
"""Indices of `LIMBS` in the order of the published decoders, trunk first; ours goes by score."""

NUM_KEYPOINTS = len(KEYPOINTS)
BACKGROUND = NUM_KEYPOINTS
NUM_HEATMAPS = NUM_KEYPOINTS + 1
NUM_PAFS = 2 * len(LIMBS)

NOSE, NECK, R_SHOULDER, L_SHOULDER = 0, 1, 2, 5
FACE = (0, 14, 15, 16, 17)
"""Keypoints of the face, which the page can hide."""

COCO_TO_KEYPOINT: tuple[int, ...] = tuple(
    next(i for i, k in enumerate(KEYPOINTS) if k.coco == c) for c in range(17)
)
"""For each of COCO's 17 keypoints its index here."""

KEYPOINT_SIGMAS = np.array([k.sigma for k in KEYPOINTS], np.float32)
"""OKS standard deviations, (18,)."""

LIMB_ENDS = np.array([(limb.start, limb.end) for limb in LIMBS])
"""Keypoint indices of each limb, (19, 2)."""

HEATMAP_FLIP = np.array([*(k.mirror for k in KEYPOINTS), BACKGROUND])
"""Channel permutation of the heatmaps of a mirrored photo, (19,)."""

PAF_FLIP = np.array([2 * limb.mirror + axis for limb in LIMBS for axis in (0, 1)])
"""Channel permutation of the PAFs of a mirrored photo, (38,); then negate the x channels (even)."""


def keypoint_index(name: str) -> int:
    """Heatmap channel of a keypoint's English name, or of "background".

    Raises:
        ValueError: no keypoint has that name.
    """
    names = [k.name for k in KEYPOINTS] + ["background"]
    wanted = name.strip().lower().replace("_", " ").replace("-", " ")
    if wanted not in names:
        raise ValueError(f"no keypoint is called {name!r}; the names are: {', '.join(names)}")
    return names.index(wanted)


def limb_index(name: str) -> int:
    """Index in `LIMBS` of a limb named "start – end" (a plain hyphen with spaces will do too).

    Raises:
        ValueError: no limb has that name.
    """
    wanted = name.strip().lower().replace(" - ", " – ")
    names = [limb.name for limb in LIMBS]
    if wanted not in names:
        raise ValueError(f"no limb is called {name!r}; the names are: {', '.join(names)}")
    return names.index(wanted)
