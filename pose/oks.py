"""Object keypoint similarity (OKS), and people of two answers matched by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose.person import Person, found_keypoints
from pose.skeleton import COCO_TO_KEYPOINT, KEYPOINT_SIGMAS

AREA_SHARE = 0.53
"""A person's area as a share of the box around the keypoints, where there is no outline. A rule of
thumb; it only scales the similarity."""


@dataclass(frozen=True)
class Match:
    """Indices of a person in either list, and their similarity, 0 to 1."""

    first: int
    second: int
    oks: float


def oks(first: Person, second: Person, tolerance: float = 1.0) -> float:
    """Similarity of two people over the keypoints that both have; 0 where they share none.

    exp(-d² / (2 s² k²)) averaged, with s² the mean of their areas and k = 2 sigma, as in COCO's
    evaluation (https://cocodataset.org/#keypoints-eval). `tolerance` multiplies the variance.
    """
    return float(oks_to_each(first, [second], tolerance)[0])


def oks_to_each(person: Person, others: Sequence[Person], tolerance: float = 1.0) -> np.ndarray:
    """`oks` of a person with each of the others, (n,)."""
    keypoints = np.stack([p.keypoints for p in (person, *others)]).astype(float)
    points, found = keypoints[..., :2], found_keypoints(keypoints)
    low = np.where(found[..., None], points, np.inf).min(1)
    high = np.where(found[..., None], points, -np.inf).max(1)
    areas = AREA_SHARE * np.maximum(high - low, 1).prod(-1)
    both = found[0] & found[1:]
    offset = np.where(both[..., None], points[1:] - points[0], 0)
    variance = tolerance * (2 * KEYPOINT_SIGMAS.astype(float)) ** 2
    spread = 2 * variance * ((areas[0] + areas[1:]) / 2)[:, None]
    similarity = np.exp(-(offset**2).sum(-1) / spread) * both
    return similarity.sum(-1) / np.maximum(both.sum(-1), 1)


def keypoint_similarities(offsets: np.ndarray, area: float) -> np.ndarray:
    """The terms of COCO's OKS, exp(-d² / (2 s² k²)), one for each of its 17 keypoints.

    Args:
        offsets: (..., 17, 2), found minus labelled place in pixels; NaN where there is none.
        area: s², the labelled person's.

    Returns:
        (..., 17) in 0..1; 0 where an offset is NaN.
    """
    variance = (2 * KEYPOINT_SIGMAS[list(COCO_TO_KEYPOINT)].astype(float)) ** 2
    squared = np.square(offsets, dtype=float).sum(-1)
    return np.nan_to_num(np.exp(-squared / (2 * max(area, 1e-9) * variance)), nan=0.0)


def match_people(
    first: Sequence[Person], second: Sequence[Person], smallest: float = 0.3
) -> list[Match]:
    """The pairs with the largest total OKS, best first; pairs below `smallest` are left out."""
    return best_pairs([oks_to_each(person, second) for person in first], smallest)


def best_pairs(similarity: Sequence[Sequence[float] | np.ndarray], smallest: float) -> list[Match]:
    """The pairs with the largest sum in a table of similarities, best first.

    Pairs below `smallest` are left out.
    """
    from scipy.optimize import linear_sum_assignment

    table = np.array(similarity, float).reshape(len(similarity), -1 if similarity else 0)
    # A pair that is too weak must not displace one that is not.
    rows, columns = linear_sum_assignment(np.where(table >= smallest, table, 0), maximize=True)
    matches = [Match(int(i), int(j), table[i, j]) for i, j in zip(rows, columns, strict=True)]
    return sorted((m for m in matches if m.oks >= smallest), key=lambda match: -match.oks)
