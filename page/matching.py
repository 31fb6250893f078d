"""Who is who: people of two answers matched by object keypoint similarity (OKS)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose import Person
from pose.export import is_found
from pose.skeleton import KEYPOINT_SIGMAS

AREA_SHARE = 0.53
"""A person's area as a share of the box around the keypoints, where there is no outline. A rule of
thumb; it only scales the likeness."""


@dataclass(frozen=True)
class Match:
    """Indices of a person in either list, and how alike they are, 0 to 1."""

    first: int
    second: int
    oks: float


def oks(first: Person, second: Person) -> float:
    """Likeness of two people over the keypoints that both have; 0 where they share none.

    exp(-d² / (2 s² k²)) averaged, with s² the mean of their areas and k = 2 sigma, as COCO's
    evaluation (https://cocodataset.org/#keypoints-eval).
    """
    both = is_found(first.keypoints) & is_found(second.keypoints)
    if not both.any():
        return 0.0
    areas = [AREA_SHARE * max(p.box[2], 1) * max(p.box[3], 1) for p in (first, second)]
    offset = first.keypoints[both, :2].astype(float) - second.keypoints[both, :2]
    variance = (2 * KEYPOINT_SIGMAS[both].astype(float)) ** 2
    return float(np.exp(-(offset**2).sum(1) / (2 * variance * np.mean(areas))).mean())


def match_people(
    first: Sequence[Person], second: Sequence[Person], smallest: float = 0.3
) -> list[Match]:
    """Pairs of one person each, the most alike first; pairs below `smallest` are left out."""
    pairs = [
        Match(i, j, likeness)
        for i, a in enumerate(first)
        for j, b in enumerate(second)
        if (likeness := oks(a, b)) >= smallest
    ]
    chosen: list[Match] = []
    for pair in sorted(pairs, key=lambda match: -match.oks):
        if all(pair.first != c.first and pair.second != c.second for c in chosen):
            chosen.append(pair)
    return chosen
