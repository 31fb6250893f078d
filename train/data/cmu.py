"""CMU's format: `COCO.json` with one sample an entry, and a `mask/` folder of images.

It is what the authors' Matlab scripts write and what many PyTorch versions read:
{"root": [{"dataset", "isValidation", "img_paths", "img_width", "img_height", "objpos",
"image_id", "segment_area", "joint_self", "scale_provided", "joint_others", ...}]}.
Keypoints are COCO's 17 as [x, y, label] with label 0 hidden, 1 visible, 2 not labelled.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pose.errors import UserError
from pose.export import image_id_of
from pose.oks import AREA_SHARE
from train.data.annotations import AnnotatedImage, AnnotatedPerson, Annotations, Crop, Findings
from train.data.coco import load_json
from train.data.coco_person import box_around, box_region, positive, read_box
from train.data.photo_files import leaves

CMU_FILE = "COCO.json"
CMU_HEIGHT = 368
"""`scale_provided` is the box's height divided by this."""


def read_cmu(file: Path, folder: Path, split: str) -> Annotations:
    """Reads the training entries, or the validation ones for a split with "val" in its name.

    A file may call images of val2014 its training data: the entries' own `isValidation` decides.

    Raises:
        UserError: the file is not in this format, or nothing in it can be used.
    """
    content = load_json(file)
    entries = content.get("root") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise UserError(f'{file} is not in CMU\'s format: {{"root": [entries]}}.')
    findings = Findings()
    by_image: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for number, entry in enumerate(entries):
        try:
            if bool(float(entry.get("isValidation", 0))) == ("val" in split.lower()):
                by_image[str(entry["img_paths"])].append(entry)
        except (KeyError, TypeError, ValueError, AttributeError):
            findings.leave_out("entries without an image", f"entry {number}")
    masks = mask_files(folder / "mask")
    images: list[AnnotatedImage] = []
    for name, of_image in by_image.items():
        image = read_image(name, of_image, image_id_of(name, len(images)), findings)
        if image is not None:
            mask = masks.get(image.image_id)
            images.append(replace(image, path=find_photo(folder, name), mask_path=mask))
    if not images:
        raise UserError(" ".join([f"{file} has nothing for {split}.", *findings.lines()]))
    return Annotations(file, tuple(sorted(images, key=lambda i: i.image_id)), findings.lines())


def mask_files(folder: Path) -> dict[int, Path]:
    """Mask images by image id, whatever the prefix of their names is."""
    found = {}
    for path in sorted(folder.rglob("*")):
        digits = re.findall(r"\d+", path.stem)
        if digits and path.suffix.lower() in (".jpg", ".jpeg", ".png"):
            found[int(digits[-1])] = path
    return found


def find_photo(folder: Path, name: str) -> Path | None:
    """The photo of an entry: under the data folder or its images/, and nowhere else."""
    paths = () if leaves(name) else (folder / name, folder / "images" / name)
    return next((path for path in paths if path.is_file()), None)


def read_image(
    name: str, entries: Sequence[Mapping[str, Any]], image_id: int, findings: Findings
) -> AnnotatedImage | None:
    """An image with each of its people once, and a crop for every entry; None without any."""
    own: list[AnnotatedPerson] = []
    others: list[AnnotatedPerson] = []
    crops: list[Crop] = []
    size = (0, 0)
    for entry in entries:
        try:
            body, *bodies = [entry["joint_self"], *other_bodies(entry.get("joint_others"))]
            person = make_person(body, entry)
            around = [make_person(body, {}) for body in bodies]
            x, y = (float(value) for value in entry["objpos"])
            height = float(entry["scale_provided"]) * CMU_HEIGHT
            size = (int(entry["img_height"]), int(entry["img_width"]))
            if not (np.isfinite((x, y)).all() and height >= 1 and min(size) >= 1):
                raise ValueError("not a place in an image")
        except (KeyError, TypeError, ValueError):
            findings.leave_out("entries with unusable numbers", f"an entry of {name}")
            continue
        own.append(person)
        others += [person for person in around if person.num_keypoints]
        # objpos is the middle of the box in corner coordinates.
        crops.append(Crop((x - 0.5, y - 0.5), height))
    if not crops:
        return None
    # The people an entry is of come first: only they have an area.
    people: dict[bytes, AnnotatedPerson] = {}
    for person in own + others:
        people.setdefault(person.keypoints.tobytes(), person)
    names = frozenset((str(image_id), name, Path(name).name, Path(name).stem))
    return AnnotatedImage(
        image_id, names, name, None, size, tuple(people.values()), crops=tuple(crops)
    )


def make_person(values: Any, entry: Mapping[str, Any]) -> AnnotatedPerson:
    """A person with the box and the area of an entry, or those derived from the keypoints.

    Raises:
        ValueError: the values are not 17 keypoints of this format.
    """
    keypoints = np.array(values, float)
    if keypoints.shape != (17, 3) or not np.isfinite(keypoints).all():
        raise ValueError("not 17 keypoints")
    keypoints[:, 2] = np.select([keypoints[:, 2] == 0, keypoints[:, 2] == 1], [1, 2], 0)
    keypoints[keypoints[:, 2] == 0] = (np.nan, np.nan, 0)
    labelled = keypoints[keypoints[:, 2] > 0, :2]
    box = read_box(entry.get("bbox")) or box_around(labelled, None) or (0.0, 0.0, 1.0, 1.0)
    area = positive(entry.get("segment_area")) or AREA_SHARE * box[2] * box[3]
    return AnnotatedPerson(keypoints, box, area, box_region(box))


def other_bodies(values: Any) -> list[Any]:
    """The other people's keypoints; a single one comes without the outer list."""
    return [values] if np.ndim(values) == 2 else list(values or ())
