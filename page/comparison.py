"""A and B in numbers: per joint how often, how sure, how far apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from page.matching import match_people
from page.session import Side
from pose.export import is_found
from pose.skeleton import NUM_KEYPOINTS


@dataclass(frozen=True)
class JointDifference:
    """One keypoint in the answers of A and B.

    Attributes:
        found_a, found_b: how many people have it.
        score_a, score_b: its mean score where found; None where nobody has it.
        distance: mean pixels of the photo between A's and B's place, over people that both found;
            None where there is none.
    """

    found_a: int
    found_b: int
    score_a: float | None
    score_b: float | None
    distance: float | None


def joint_differences(a: Side, b: Side) -> list[JointDifference]:
    """The 18 keypoints in A and B."""
    distances: list[list[float]] = [[] for _ in range(NUM_KEYPOINTS)]
    for match in match_people(a.people, b.people):
        one, other = a.people[match.first].keypoints, b.people[match.second].keypoints
        for k in np.flatnonzero(is_found(one) & is_found(other)):
            distances[k].append(float(np.hypot(*(one[k, :2] - other[k, :2]))))
    scores_a, scores_b = joint_scores(a), joint_scores(b)
    return [
        JointDifference(
            len(scores_a[k]),
            len(scores_b[k]),
            mean(scores_a[k]),
            mean(scores_b[k]),
            mean(distances[k]),
        )
        for k in range(NUM_KEYPOINTS)
    ]


def joint_scores(side: Side) -> list[list[float]]:
    """For each keypoint the scores of everyone who has it."""
    scores: list[list[float]] = [[] for _ in range(NUM_KEYPOINTS)]
    for person in side.people:
        for k in np.flatnonzero(is_found(person.keypoints)):
            scores[k].append(float(person.keypoints[k, 2]))
    return scores


def mean_score(side: Side) -> float | None:
    """Mean score of all found keypoints; None where nobody was found."""
    return mean([score for of_joint in joint_scores(side) for score in of_joint])


def mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
