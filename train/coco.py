"""COCO person keypoints: images, labelled people, regions to ignore, and who gets a sample.

The official layout of any split: `annotations/person_keypoints_SPLIT.json` and `SPLIT/*.jpg`.
What cannot be used is counted in `Problems`, reported once and skipped.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pose.errors import UserError
from pose.skeleton import COCO_TO_KEYPOINT, L_SHOULDER, NECK, NUM_KEYPOINTS, R_SHOULDER
from train.safe_names import leaves

MIN_MAIN_KEYPOINTS, MIN_MAIN_AREA, MIN_MAIN_DISTANCE = 5, 32**2, 0.3
"""A main person has so many keypoints and pixels, and lies so far (in sizes of the earlier
person) from every earlier main person. Source: the authors' Caffe pipeline."""


@dataclass(frozen=True)
class Region:
    """A part of an image: polygons, each (K, 2) in pixel-centre coordinates, or a COCO RLE."""

    polygons: tuple[np.ndarray, ...] = ()
    rle: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ImageLabels:
    """One image and everything labelled in it.

    Attributes:
        path: the image file.
        image_id: COCO's id.
        size: (height, width) in pixels.
        keypoints: float32 (P, 18, 3), x and y in pixels and COCO's label (0 none, 1 hidden,
            2 visible); x and y are NaN where the label is 0.
        boxes: float32 (P, 4), x, y, width, height.
        areas: float32 (P,), pixels of the segmentations.
        ignored: people without keypoints.
        crowds: crowd regions, of which `not_crowd` is not part.
        not_crowd: the single people, where there is a crowd.
        mask_path: a ready-made mask (0 = ignore), in the CMU format.
    """

    path: Path
    image_id: int
    size: tuple[int, int]
    keypoints: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    ignored: tuple[Region, ...] = ()
    crowds: tuple[Region, ...] = ()
    not_crowd: tuple[Region, ...] = ()
    mask_path: Path | None = None


@dataclass(frozen=True)
class MainPerson:
    """A training sample: the person a crop is centred on.

    Attributes:
        image: index into the images.
        centre: x, y of the box's centre in pixels.
        height: height of the box in pixels.
    """

    image: int
    centre: tuple[float, float]
    height: float


@dataclass
class Problems:
    """What was skipped, by kind, with the first name of each."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, name: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.first.setdefault(kind, name)

    def lines(self) -> list[str]:
        """One line a kind."""
        return [
            f"Skipped {count} {kind}: {self.first[kind]}{' and others' if count > 1 else ''}."
            for kind, count in self.counts.items()
        ]


@dataclass(frozen=True)
class TrainingData:
    """Usable images, the samples in them, and what was skipped."""

    images: tuple[ImageLabels, ...]
    samples: tuple[MainPerson, ...]
    problems: Problems


def annotation_file(data: Path, split: str) -> Path:
    """Where a split's keypoint annotations are in the official layout."""
    return data / "annotations" / f"person_keypoints_{split}.json"


def image_folder(data: Path, split: str) -> Path:
    """Where a split's images are: SPLIT/, or images/SPLIT/ as some downloads have it."""
    nested = data / "images" / split
    return nested if nested.is_dir() and not (data / split).is_dir() else data / split


def read_coco(data: Path, split: str) -> TrainingData:
    """Reads a split of the official layout.

    Raises:
        UserError: the files are missing or not COCO's, or nothing in them can be used.
    """
    coco = open_annotations(annotation_file(data, split))
    folder = image_folder(data, split)
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}; download the images or check --data.")
    problems = Problems()
    files = {p.name for p in folder.iterdir()}
    annotations = usable_annotations(coco, problems)
    images = []
    for image_id in sorted(annotations):
        info = coco["images"][image_id]
        name = str(info["file_name"])
        if leaves(name):
            problems.add("images whose names leave the folder", name)
            continue
        path = folder / name
        if name not in files and not path.is_file():
            problems.add("missing images", name)
            continue
        size = size_of(info)
        if size is None:
            problems.add("images without a size in the annotations", name)
            continue
        images.append(label_image(path, image_id, size, annotations[image_id], problems))
    return training_data(images, problems, annotation_file(data, split))


def size_of(info: Mapping[str, Any]) -> tuple[int, int] | None:
    """(height, width) of an image's entry; None where they are no positive whole numbers."""
    size = (info["height"], info["width"])
    whole = all(isinstance(n, int | float) and 1 <= n <= 1e6 and n == int(n) for n in size)
    return (int(size[0]), int(size[1])) if whole else None


def training_data(images: Sequence[ImageLabels], problems: Problems, source: Path) -> TrainingData:
    """Picks the main persons; a UserError where there are none."""
    samples = tuple(p for i, labels in enumerate(images) for p in main_persons(i, labels))
    if not samples:
        raise UserError(
            " ".join(
                [
                    f"Nothing in {source} can be trained on: no image at hand has a person with "
                    f"{MIN_MAIN_KEYPOINTS} keypoints and {MIN_MAIN_AREA} pixels.",
                    *problems.lines(),
                ]
            )
        )
    return TrainingData(tuple(images), samples, problems)


def open_annotations(path: Path) -> dict[str, dict[int, Any]]:
    """Images, annotations and categories of a COCO file by id, through pycocotools.

    Raises:
        UserError: the file is missing or not COCO's.
    """
    from pycocotools.coco import COCO

    if not path.is_file():
        raise UserError(f"There is no file {path}; check --data and the split's name.")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(str(path))
        images = {int(i): v for i, v in coco.imgs.items() if v.keys() >= IMAGE_FIELDS}
    except (json.JSONDecodeError, UnicodeDecodeError, AssertionError, KeyError) as error:
        raise UserError(f"{path} is not a COCO annotation file ({error}).") from None
    except (TypeError, AttributeError, ValueError):
        raise UserError(f"{path} is not a COCO annotation file.") from None
    if not images:
        raise UserError(f"{path} lists no images; it is not a COCO annotation file.")
    return {"images": images, "annotations": coco.anns, "categories": coco.cats}


IMAGE_FIELDS = {"file_name", "height", "width"}


def usable_annotations(
    coco: Mapping[str, Mapping[int, Any]], problems: Problems
) -> dict[int, list[dict]]:
    """Person annotations by image id, in the file's order."""
    usable: dict[int, list[dict]] = defaultdict(list)
    person = {i for i, c in coco["categories"].items() if len(c.get("keypoints") or ()) == 17}
    for annotation_id, annotation in coco["annotations"].items():
        name = f"annotation {annotation_id}"
        if annotation.get("category_id") not in person:
            problems.add("annotations of a category without COCO's 17 keypoints", name)
        elif annotation.get("image_id") not in coco["images"]:
            problems.add("annotations of an unknown image", name)
        elif not well_formed(annotation):
            problems.add("annotations with unusable numbers", name)
        else:
            usable[int(annotation["image_id"])].append(annotation)
    return usable


def well_formed(annotation: Mapping[str, Any]) -> bool:
    """Whether box and keypoints are the numbers COCO promises (a crowd needs no keypoints)."""
    try:
        box = np.asarray(annotation["bbox"], float)
        keypoints = np.asarray(annotation.get("keypoints") or [0] * 51, float)
    except (KeyError, TypeError, ValueError):
        return False
    return (
        box.shape == (4,)
        and keypoints.shape == (51,)
        and bool(np.isfinite(box).all() and np.isfinite(keypoints).all())
    )


def label_image(
    path: Path,
    image_id: int,
    size: tuple[int, int],
    annotations: Sequence[Mapping[str, Any]],
    problems: Problems,
) -> ImageLabels:
    """Sorts an image's annotations into people, people to ignore and crowds."""
    keypoints, boxes, areas = [], [], []
    ignored, crowds, single = [], [], []
    for annotation in annotations:
        region = region_of(annotation, size, problems)
        if annotation.get("iscrowd"):
            crowds.append(region)
            continue
        single.append(region)
        points = eighteen(np.asarray(annotation.get("keypoints") or [0] * 51, np.float32))
        if not (points[:, 2] > 0).any():
            ignored.append(region)
            continue
        box = annotation["bbox"]
        keypoints.append(points)
        boxes.append(box)
        areas.append(annotation.get("area") or box[2] * box[3])
    return ImageLabels(
        path,
        image_id,
        size,
        np.array(keypoints, np.float32).reshape(-1, NUM_KEYPOINTS, 3),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(areas, np.float32),
        tuple(ignored),
        tuple(crowds),
        tuple(single) if crowds else (),
    )


def eighteen(coco: np.ndarray) -> np.ndarray:
    """COCO's 17 keypoints (17, 3) or (51,) → (18, 3) with the neck between the shoulders.

    The neck is there where both shoulders are; its label is the lower of theirs.
    """
    source = np.asarray(coco, np.float32).reshape(17, 3)
    points = np.zeros((NUM_KEYPOINTS, 3), np.float32)
    points[list(COCO_TO_KEYPOINT)] = source
    shoulders = points[[R_SHOULDER, L_SHOULDER]]
    if (shoulders[:, 2] > 0).all():
        points[NECK] = (*shoulders[:, :2].mean(0), shoulders[:, 2].min())
    points[points[:, 2] <= 0] = (np.nan, np.nan, 0)
    return points


def region_of(annotation: Mapping[str, Any], size: tuple[int, int], problems: Problems) -> Region:
    """The annotation's segmentation, or its box where there is none that can be used."""
    segmentation = annotation.get("segmentation")
    try:
        if isinstance(segmentation, list) and segmentation:
            # COCO's polygons count from the pixel's corner, keypoints from its centre.
            polygons = [np.asarray(p, np.float32).reshape(-1, 2) - 0.5 for p in segmentation]
            if all(len(p) >= 3 and np.isfinite(p).all() for p in polygons):
                return Region(polygons=tuple(polygons))
        elif isinstance(segmentation, dict) and tuple(segmentation["size"]) == size:
            return Region(rle=segmentation)
    except (TypeError, ValueError, KeyError):
        pass
    if segmentation:
        problems.add(
            "broken segmentations (their boxes are used)", f"annotation {annotation['id']}"
        )
    return box_region(annotation["bbox"])


def box_region(box: Sequence[float]) -> Region:
    """x, y, width, height as a region."""
    x, y, w, h = (float(v) for v in box)
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], np.float32)
    return Region(polygons=(corners - 0.5,))


def main_persons(image: int, labels: ImageLabels) -> list[MainPerson]:
    """The people of an image that get a sample, by the authors' rules."""
    chosen: list[MainPerson] = []
    sizes: list[float] = []
    for points, (x, y, w, h), area in zip(
        labels.keypoints, labels.boxes, labels.areas, strict=True
    ):
        # The neck is made from the shoulders and does not count.
        count = int((np.delete(points, NECK, axis=0)[:, 2] > 0).sum())
        if count < MIN_MAIN_KEYPOINTS or area < MIN_MAIN_AREA or h < 1:
            continue
        centre = (float(x + w / 2 - 0.5), float(y + h / 2 - 0.5))
        near = any(
            np.hypot(centre[0] - p.centre[0], centre[1] - p.centre[1]) < MIN_MAIN_DISTANCE * size
            for p, size in zip(chosen, sizes, strict=True)
        )
        if not near:
            chosen.append(MainPerson(image, centre, float(h)))
            sizes.append(float(max(w, h)))
    return chosen


def take_slice(
    data: TrainingData,
    fraction: float = 1.0,
    max_images: int | None = None,
    seed: int = 0,
    names: frozenset[str] | None = None,
) -> TrainingData:
    """A reproducible part of the images that have samples.

    Args:
        fraction: share of those images, at least one.
        max_images: at most so many.
        seed: chooses them, together with nothing else.
        names: only images with these file names, stems or ids.

    Raises:
        UserError: none of the names is there.
    """
    with_samples = sorted({p.image for p in data.samples})
    if names is not None:
        with_samples = [i for i in with_samples if labels_named(data.images[i], names)]
        if not with_samples:
            raise UserError("No image of the list has a person to train on; check its names.")
    count = max(1, round(len(with_samples) * fraction))
    if max_images is not None:
        count = min(count, max_images)
    order = np.random.default_rng((seed, 0)).permutation(len(with_samples))[:count]
    kept = sorted(with_samples[i] for i in order)
    place = {image: i for i, image in enumerate(kept)}
    samples = tuple(
        MainPerson(place[p.image], p.centre, p.height) for p in data.samples if p.image in place
    )
    return TrainingData(tuple(data.images[i] for i in kept), samples, data.problems)


def labels_named(labels: ImageLabels, names: frozenset[str]) -> bool:
    """Whether an image is meant by one of the names."""
    return bool(names & {labels.path.name, labels.path.stem, str(labels.image_id)})


def read_names(path: Path | None) -> frozenset[str] | None:
    """Image names of a text file, one a line; None for no file.

    Raises:
        UserError: the file cannot be read or is empty.
    """
    if path is None:
        return None
    try:
        names = frozenset(line.strip() for line in path.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a list of images ({error}).") from None
    names -= {""}
    if not names:
        raise UserError(f"{path} lists no image; write one file name or id a line.")
    return names
