"""Photos turned before people are searched, and people turned back with the photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pose.errors import UserError
from pose.person import Person
from pose.results import PoseResult

QUARTER_TURNS = {"0": (0,), "90": (1,), "180": (2,), "270": (3,), "auto": (0, 1, 2, 3)}
"""Quarter turns clockwise to try, by the value of `--rotate`."""


def turned(image: np.ndarray, quarter_turns: int) -> np.ndarray:
    """The image (H, W, 3) turned clockwise."""
    return np.ascontiguousarray(np.rot90(image, -quarter_turns)) if quarter_turns else image


def turned_back(result: PoseResult, quarter_turns: int) -> PoseResult:
    """The people and photo of a turned photo's result as they are without the turn."""
    people, (height, width) = result.people, result.image_size
    for _ in range(quarter_turns):
        people = tuple(counterclockwise(person, width) for person in people)
        height, width = width, height
    return replace(result, people=people, image=turned(result.image, -quarter_turns))


def counterclockwise(person: Person, width: int) -> Person:
    """A person in an image of `width` pixels after a quarter turn of the image."""
    keypoints = person.keypoints[:, [1, 0, 2]]
    keypoints[:, 1] = width - 1 - keypoints[:, 1]
    return replace(person, keypoints=keypoints)


def best_turn(
    results: Sequence[PoseResult | UserError], quarter_turns: Sequence[int]
) -> PoseResult | UserError:
    """The result with the highest total score of its people, turned back."""
    best: PoseResult | None = None
    best_score = -1.0
    for result, turns in zip(results, quarter_turns, strict=True):
        if isinstance(result, UserError):
            return result
        total = sum(person.score for person in result.people)
        if total > best_score:
            best, best_score = turned_back(result, turns), total
    if best is None:
        raise ValueError("there is no result to choose from")
    return best
