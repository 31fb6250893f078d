"""The CMU format: `COCO.json` with one sample an entry, and a `mask/` folder of images.

It is what the authors' Matlab scripts write and what many PyTorch versions read:
{"root": [{"dataset", "isValidation", "img_paths", "img_width", "img_height", "objpos",
"image_id", "segment_area", "joint_self", "scale_provided", "joint_others", ...}]}.
Joints are COCO's 17 as [x, y, label] with label 0 hidden, 1 visible, 2 not labelled.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pose.errors import UserError
from pose.skeleton import NUM_KEYPOINTS
from train.coco import ImageLabels, MainPerson, Problems, TrainingData, eighteen
from train.safe_names import leaves

CMU_FILE = "COCO.json"
CMU_HEIGHT = 368
"""`scale_provided` is the box's height divided by this."""


def read_cmu(data: Path, split: str) -> TrainingData:
    """Reads the training entries, or the validation ones for a split with "val" in its name.

    A file may call images of val2014 its training data: the entries' own `isValidation` decides.

    Raises:
        UserError: the file is not in this format, or nothing in it can be used.
    """
    path = data / CMU_FILE
    entries = read_entries(path)
    problems = Problems()
    validation = "val" in split.lower()
    masks = mask_files(data / "mask")
    by_image: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for number, entry in enumerate(entries):
        try:
            if bool(float(entry.get("isValidation", 0))) == validation:
                by_image[str(entry["img_paths"])].append(entry)
        except (KeyError, TypeError, ValueError, AttributeError):
            problems.add("entries without an image", f"entry {number}")
    images: list[ImageLabels] = []
    samples: list[MainPerson] = []
    for name, of_image in by_image.items():
        found = find_image(data, name)
        if found is None:
            problems.add("missing images", name)
            continue
        labels, people = read_image(found, of_image, masks, len(images), problems)
        if people:
            images.append(labels)
            samples += people
    if not samples:
        lines = " ".join(problems.lines())
        raise UserError(f"Nothing in {path} can be used for {split}. {lines}".strip())
    return TrainingData(tuple(images), tuple(samples), problems)


def read_entries(path: Path) -> list[Mapping[str, Any]]:
    """The entries of `root`.

    Raises:
        UserError: the file cannot be read or has no root.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        entries = content["root"]
        assert isinstance(entries, list) and entries
    except (OSError, ValueError, KeyError, TypeError, AssertionError):
        raise UserError(f'{path} is not in CMU\'s format: {{"root": [entries]}}.') from None
    return entries


def mask_files(folder: Path) -> dict[int, Path]:
    """Mask images by image id, whatever the prefix of their names is."""
    found = {}
    for path in sorted(folder.rglob("*")):
        digits = re.findall(r"\d+", path.stem)
        if digits and path.suffix.lower() in (".jpg", ".jpeg", ".png"):
            found[int(digits[-1])] = path
    return found


def find_image(data: Path, name: str) -> Path | None:
    """The image file of an entry: under the data folder or its images/, and nowhere else."""
    if leaves(name):
        return None
    for path in (data / name, data / "images" / name):
        if path.is_file():
            return path
    return None


def read_image(
    path: Path,
    entries: list[Mapping[str, Any]],
    masks: Mapping[int, Path],
    index: int,
    problems: Problems,
) -> tuple[ImageLabels, list[MainPerson]]:
    """An image's people, each once, and a sample for every entry."""
    people: dict[bytes, np.ndarray] = {}
    samples: list[MainPerson] = []
    size = (0, 0)
    for entry in entries:
        try:
            bodies = [joints(entry["joint_self"]), *other_joints(entry.get("joint_others"))]
            centre = np.asarray(entry["objpos"], float)
            height = float(entry["scale_provided"]) * CMU_HEIGHT
            size = (int(entry["img_height"]), int(entry["img_width"]))
            usable = centre.shape == (2,) and np.isfinite(centre).all() and height >= 1
        except (KeyError, TypeError, ValueError):
            usable = False
        if not usable:
            problems.add("entries with unusable numbers", f"an entry of {path.name}")
            continue
        for body in bodies:
            if (body[:, 2] > 0).any():
                people.setdefault(body.tobytes(), body)
        # objpos is the middle of the box in corner coordinates.
        samples.append(MainPerson(index, (centre[0] - 0.5, centre[1] - 0.5), height))
    digits = re.findall(r"\d+", path.stem)
    image_id = int(digits[-1]) if digits else index
    keypoints = np.array(list(people.values()), np.float32).reshape(-1, NUM_KEYPOINTS, 3)
    empty = np.zeros((len(keypoints), 4), np.float32)
    labels = ImageLabels(
        path, image_id, size, keypoints, empty, empty[:, 0], mask_path=masks.get(image_id)
    )
    return labels, samples


def joints(values: Any) -> np.ndarray:
    """17 joints of this format → (18, 3) with COCO's labels."""
    body = np.asarray(values, np.float32)
    if body.shape != (17, 3) or not np.isfinite(body).all():
        raise ValueError("not 17 joints")
    labels = np.select([body[:, 2] == 0, body[:, 2] == 1], [1, 2], 0)
    return eighteen(np.column_stack([body[:, :2], labels]))


def other_joints(values: Any) -> list[np.ndarray]:
    """The other people's joints; a single one comes without the outer list."""
    if values is None or not len(values):
        return []
    array = np.asarray(values, np.float32)
    return [joints(body) for body in (array[None] if array.ndim == 2 else array)]
