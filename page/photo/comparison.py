"""Two results in numbers: how often, how sure and how far apart, per keypoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose import Person
from pose.oks import match_people
from pose.person import found_keypoints
from pose.skeleton import NUM_KEYPOINTS

People = Sequence[Person]


@dataclass(frozen=True)
class KeypointDifference:
    """One keypoint in the results of A and B.

    Attributes:
        found_a, found_b: how many people have it.
        score_a, score_b: its mean score where found; None where nobody has it.
        distance: mean pixels of the photo between A's and B's position, over people that both
            found; None where there are none.
    """

    found_a: int
    found_b: int
    score_a: float | None
    score_b: float | None
    distance: float | None


def keypoint_differences(a: People, b: People) -> list[KeypointDifference]:
    """The 18 keypoints in A and B."""
    distances: list[list[float]] = [[] for _ in range(NUM_KEYPOINTS)]
    for match in match_people(a, b):
        one, other = a[match.first].keypoints, b[match.second].keypoints
        for k in np.flatnonzero(found_keypoints(one) & found_keypoints(other)):
            distances[k].append(float(np.hypot(*(one[k, :2] - other[k, :2]))))
    return [
        KeypointDifference(
            len(scores_a), len(scores_b), mean(scores_a), mean(scores_b), mean(apart)
        )
        for scores_a, scores_b, apart in zip(
            scores_per_keypoint(a), scores_per_keypoint(b), distances, strict=True
        )
    ]


def scores_per_keypoint(people: People) -> list[list[float]]:
    """For each keypoint the scores of everyone who has it."""
    return [
        [float(person.keypoints[k, 2]) for person in people if person.found[k]]
        for k in range(NUM_KEYPOINTS)
    ]


def mean_score(people: People) -> float | None:
    """Mean score of all found keypoints; None where nobody was found."""
    return mean([score for scores in scores_per_keypoint(people) for score in scores])


def mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
