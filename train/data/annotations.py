"""Annotated photos, normalised: the same people for every command, in the photo's pixels.

`train.data.read` makes them from COCO files of any tool and from CMU's format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pose.skeleton import COCO_TO_KEYPOINT, L_SHOULDER, NECK, NUM_KEYPOINTS, R_SHOULDER


@dataclass(frozen=True)
class Region:
    """An area of a photo: polygons, each (K, 2) in pixel-centre coordinates, or a COCO RLE.

    An RLE may have another resolution than the photo; it covers the whole photo.
    """

    polygons: tuple[np.ndarray, ...] = ()
    rle: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class AnnotatedPerson:
    """A person, or a crowd.

    Attributes:
        keypoints: float64 (17, 3) in COCO's order: x, y in pixels and the label (1 hidden,
            2 visible); NaN, NaN, 0 where a keypoint is missing.
        box: x, y, width, height.
        area: square pixels.
        region: the outline, or the box.
        crowd: several people whom nobody labelled one by one.
    """

    keypoints: np.ndarray
    box: tuple[float, float, float, float]
    area: float
    region: Region
    crowd: bool = False

    @property
    def num_keypoints(self) -> int:
        return int((self.keypoints[:, 2] > 0).sum())

    def scaled(self, x: float, y: float) -> AnnotatedPerson:
        """The person in a photo resized by the factors `x` and `y`."""
        keypoints, factor = self.keypoints.copy(), np.array([x, y])
        keypoints[:, :2] = (keypoints[:, :2] + 0.5) * factor - 0.5
        left, top, width, height = self.box
        polygons = tuple((p + 0.5) * factor - 0.5 for p in self.region.polygons)
        return replace(
            self,
            keypoints=keypoints,
            box=(left * x, top * y, width * x, height * y),
            area=self.area * x * y,
            region=replace(self.region, polygons=polygons),
        )


@dataclass(frozen=True)
class Crop:
    """Where a training sample is centred: a box's centre (x, y) and its height, in pixels."""

    centre: tuple[float, float]
    height: float


@dataclass(frozen=True)
class AnnotatedImage:
    """A photo and everybody annotated in it.

    Attributes:
        image_id: COCO's id, or one made up.
        names: how lists of images may call it: id, file name, stem.
        file_name: as annotated.
        path: the photo, None where there is none.
        size: (height, width) in pixels, turned by `orientation`.
        people: in the file's order; people without keypoints and crowds among them.
        orientation: the EXIF orientation by which the photo must be turned to fit the labels.
        problem: why the photo cannot be used, or None.
        mask_path: a ready-made mask (0 = ignore), in CMU's format.
        crops: the training samples, where the file lists them (CMU's format).
    """

    image_id: int
    names: frozenset[str]
    file_name: str
    path: Path | None
    size: tuple[int, int]
    people: tuple[AnnotatedPerson, ...]
    orientation: int = 1
    problem: str | None = None
    mask_path: Path | None = None
    crops: tuple[Crop, ...] | None = None

    @cached_property
    def labelled(self) -> tuple[AnnotatedPerson, ...]:
        """People with keypoints, who count in training and evaluation."""
        return tuple(p for p in self.people if p.num_keypoints and not p.crowd)

    @cached_property
    def keypoints(self) -> np.ndarray:
        """The labelled people's keypoints, float32 (P, 18, 3); NaN, NaN, 0 where missing."""
        bodies = [with_neck(p.keypoints) for p in self.labelled]
        return np.array(bodies, np.float32).reshape(-1, NUM_KEYPOINTS, 3)

    @property
    def unlabelled(self) -> list[Region]:
        """People without keypoints; the loss ignores their regions."""
        return [p.region for p in self.people if not p.num_keypoints and not p.crowd]

    @property
    def crowds(self) -> list[Region]:
        return [p.region for p in self.people if p.crowd]

    @property
    def single_people(self) -> list[Region]:
        return [p.region for p in self.people if not p.crowd]


@dataclass(frozen=True)
class Annotations:
    """A split.

    Attributes:
        file: what was read.
        images: by id; those without a photo among them.
        notes: what was adjusted or left out, one line each.
    """

    file: Path
    images: tuple[AnnotatedImage, ...]
    notes: tuple[str, ...] = ()


@dataclass
class Findings:
    """What a reader adjusted, with how often, and what it left out, with the names; by kind."""

    adjusted: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def adjust(self, kind: str) -> None:
        self.adjusted[kind] += 1

    def leave_out(self, kind: str, name: str) -> None:
        self.left_out.setdefault(kind, []).append(name)

    def lines(self) -> tuple[str, ...]:
        """At most one line for what was adjusted, one for what was left out, and the notes."""
        lines = list(dict.fromkeys(self.notes))
        if self.adjusted:
            kinds = ", ".join(f"{kind} ({count})" for kind, count in self.adjusted.items())
            lines.append(f"Annotations adjusted: {kinds}.")
        if self.left_out:
            kinds = ", ".join(
                f"{len(names)} {kind} ({names[0]}{' and others' if names[1:] else ''})"
                for kind, names in self.left_out.items()
            )
            lines.append(f"Left out: {kinds}.")
        return tuple(lines)


def with_neck(coco: np.ndarray) -> np.ndarray:
    """COCO's 17 keypoints (17, 3) → float32 (18, 3) with the neck between the shoulders.

    The neck is there where both shoulders are; its label is the lower of theirs.
    """
    points = np.zeros((NUM_KEYPOINTS, 3), np.float32)
    points[list(COCO_TO_KEYPOINT)] = coco
    shoulders = points[[R_SHOULDER, L_SHOULDER]]
    if (shoulders[:, 2] > 0).all():
        points[NECK] = (*shoulders[:, :2].mean(0), shoulders[:, 2].min())
    points[points[:, 2] <= 0] = (np.nan, np.nan, 0)
    return points
