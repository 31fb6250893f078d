"""The annotated people of known photos, from a COCO annotation file given at the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from pose import Person
from pose.oks import keypoint_similarities
from pose.skeleton import COCO_TO_KEYPOINT
from train.data.annotations import AnnotatedPerson as LabelledBody
from train.data.annotations import with_neck
from train.data.coco import read_coco


@dataclass(frozen=True)
class AnnotatedPerson:
    """A person of an annotation file.

    Attributes:
        person: the labelled keypoints, each with score 1; the neck between the shoulders.
        area: square pixels.
        labels: int (18,), COCO's v of each keypoint: 1 hidden, 2 visible, 0 missing.
    """

    person: Person
    area: float
    labels: np.ndarray


class GroundTruth:
    """The annotated people by file name."""

    def __init__(self, file: str | Path) -> None:
        """Reads a COCO keypoint annotation file.

        Raises:
            UserError: it is no such file.
        """
        images = read_coco(Path(file), None).images
        self._people = {
            bare_name(image.file_name): tuple(map(annotated, image.labelled)) for image in images
        }
        self._sizes = {bare_name(image.file_name): image.size for image in images}

    @property
    def names(self) -> list[str]:
        """File names of the photos, in the file's order."""
        return list(self._people)

    def size_of(self, file_name: str) -> tuple[int, int]:
        """(height, width) of a photo as annotated, (0, 0) where the file does not say."""
        return self._sizes.get(Path(file_name).name, (0, 0))

    def of(self, file_name: str) -> tuple[AnnotatedPerson, ...] | None:
        """The people annotated in a photo of that name; None if the file does not list it."""
        return self._people.get(Path(file_name).name)


def bare_name(name: str) -> str:
    """The last part of a file name, on any system."""
    return PurePosixPath(name.replace("\\", "/")).name


def annotated(person: LabelledBody) -> AnnotatedPerson:
    """A person of the file with the neck, and with score 1 where a keypoint is labelled."""
    keypoints = with_neck(person.keypoints)
    labels = keypoints[:, 2].astype(int)
    keypoints[:, 2] = labels > 0
    return AnnotatedPerson(Person(keypoints, 1.0), person.area, labels)


def coco_oks(found: Person, annotated: AnnotatedPerson) -> float:
    """COCO's OKS of a found person: the mean over the labelled keypoints, missing ones count 0.

    https://cocodataset.org/#keypoints-eval; the neck is not among COCO's keypoints.
    """
    coco = list(COCO_TO_KEYPOINT)
    labelled = annotated.person.found[coco]
    offset = found.keypoints[coco, :2].astype(float) - annotated.person.keypoints[coco, :2]
    terms = keypoint_similarities(offset, annotated.area)
    return float(terms[labelled].mean()) if labelled.any() else 0.0


def oks_per_person(
    found: Sequence[Person], annotated: Sequence[AnnotatedPerson]
) -> tuple[float, ...]:
    """For each annotated person the OKS of the person matched to it, 0 where nobody is.

    The best pairs are matched first, each person at most once.
    """
    table = np.array([[coco_oks(person, true) for person in found] for true in annotated])
    values = [0.0] * len(annotated)
    for _ in range(min(len(annotated), len(found))):
        j, i = np.unravel_index(table.argmax(), table.shape)
        values[j] = max(0.0, float(table[j, i]))
        table[j, :] = table[:, i] = -1
    return tuple(values)
