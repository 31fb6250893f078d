"""A COCO annotation file given at the start: the true people of the photos it knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from page.matching import AREA_SHARE
from pose import Person, UserError
from pose.skeleton import (
    COCO_TO_KEYPOINT,
    KEYPOINT_SIGMAS,
    L_SHOULDER,
    NECK,
    NUM_KEYPOINTS,
    R_SHOULDER,
)


@dataclass(frozen=True)
class TruePerson:
    """An annotated person.

    Attributes:
        person: the labelled keypoints, each with score 1; the neck between the shoulders.
        area: square pixels, as annotated or `AREA_SHARE` of the box.
    """

    person: Person
    area: float


class Truth:
    """The annotated people by file name."""

    def __init__(self, file: str | Path) -> None:
        """Reads a COCO keypoint annotation file.

        Raises:
            UserError: it is no such file.
        """
        try:
            data = json.loads(Path(file).read_text())
            names = {image["id"]: image["file_name"] for image in data["images"]}
            self._people: dict[str, list[TruePerson]] = {name: [] for name in names.values()}
            for entry in data["annotations"]:
                if entry.get("num_keypoints", 0) and entry["image_id"] in names:
                    self._people[names[entry["image_id"]]].append(true_person(entry))
        except OSError as error:
            raise UserError(f"cannot read {file}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{file} is not a COCO keypoint annotation file ({type(error).__name__}: {error})"
            ) from None

    def of(self, file_name: str) -> tuple[TruePerson, ...] | None:
        """The people annotated in a photo of that name; None where the file does not know it."""
        found = self._people.get(Path(file_name).name)
        return None if found is None else tuple(found)


def true_person(entry: dict) -> TruePerson:
    """One annotation with at least one labelled keypoint."""
    labelled = np.asarray(entry["keypoints"], np.float32).reshape(17, 3)
    keypoints = np.full((NUM_KEYPOINTS, 3), np.nan, np.float32)
    keypoints[:, 2] = 0
    for coco, index in enumerate(COCO_TO_KEYPOINT):
        if labelled[coco, 2] > 0:
            keypoints[index] = (*labelled[coco, :2], 1)
    shoulders = keypoints[[R_SHOULDER, L_SHOULDER]]
    if (shoulders[:, 2] > 0).all():
        keypoints[NECK] = (*shoulders[:, :2].mean(0), 1)
    _, _, width, height = entry["bbox"]
    area = float(entry.get("area") or AREA_SHARE * width * height)
    return TruePerson(Person(keypoints, 1.0), area)


def truth_oks(found: Person, true: TruePerson) -> float:
    """COCO's OKS of a found person: the mean over the labelled keypoints, missing ones count 0.

    https://cocodataset.org/#keypoints-eval; the neck is not among COCO's keypoints.
    """
    coco = list(COCO_TO_KEYPOINT)
    there = true.person.keypoints[coco, 2] > 0
    offset = found.keypoints[coco, :2].astype(float) - true.person.keypoints[coco, :2]
    variance = (2 * KEYPOINT_SIGMAS[coco].astype(float)) ** 2
    likeness = np.exp(-(offset**2).sum(1) / (2 * variance * max(true.area, 1.0)))
    return float(np.nan_to_num(likeness, nan=0.0)[there].mean()) if there.any() else 0.0


def oks_of_people(found: Sequence[Person], true: Sequence[TruePerson]) -> list[float]:
    """For each annotated person the OKS of the found person that fits, best fits first; 0 if none.

    Each found person is given to one annotated person at most.
    """
    fits = sorted(
        ((truth_oks(f, t), i, j) for i, f in enumerate(found) for j, t in enumerate(true)),
        reverse=True,
    )
    answer = [0.0] * len(true)
    taken: set[int] = set()
    done: set[int] = set()
    for value, i, j in fits:
        if i not in taken and j not in done:
            answer[j] = value
            taken.add(i)
            done.add(j)
    return answer
