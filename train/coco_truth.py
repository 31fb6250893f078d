"""What is compared with: the annotations as pycocotools sees them, and where the images are."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pose.errors import UserError
from train.coco import open_annotations, well_formed
from train.safe_names import leaves

if TYPE_CHECKING:
    from pycocotools.coco import COCO

PERSON = 1
"""COCO's category id of people."""

COCO_NAME = re.compile(r"(?:COCO_\w+_)?(\d{12})\.jpe?g", re.IGNORECASE)
"""File names of the 2017 release (000000000139.jpg) and of 2014 (COCO_val2014_000000000139.jpg)."""


@dataclass(frozen=True)
class ImageFile:
    """An image of the annotations with its file.

    Attributes:
        image_id: COCO's id.
        path: the file.
        size: (height, width) in pixels, as annotated.
    """

    image_id: int
    path: Path
    size: tuple[int, int]


@dataclass(frozen=True)
class FoundImages:
    """Which of the wanted images have a file.

    Attributes:
        found: those with a file, by id.
        missing: annotated file names of the others, by id.
    """

    found: tuple[ImageFile, ...]
    missing: tuple[str, ...]


def read_truth(path: Path) -> COCO:
    """A COCO keypoint annotation file, checked so that scoring cannot fail on it.

    Raises:
        UserError: the file is missing or is not COCO's person keypoints.
    """
    from pycocotools.coco import COCO

    content = open_annotations(path)
    if PERSON not in content["categories"]:
        raise UserError(f"{path} has no category {PERSON} (person); it is not COCO's keypoints.")
    for annotation in content["annotations"].values():
        check_annotation(annotation, path)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {name: list(entries.values()) for name, entries in content.items()}
        truth.createIndex()
    return truth


def check_annotation(annotation: dict, path: Path) -> None:
    """Refuses an annotation that pycocotools could not score."""
    needed = {"id", "image_id", "category_id", "area", "bbox", "num_keypoints", "iscrowd"}
    absent = sorted(needed - annotation.keys())
    if absent or len(annotation.get("keypoints") or ()) != 51 or not well_formed(annotation):
        what = f"lacks {', '.join(absent)}" if absent else "has no 17 keypoints or no box"
        raise UserError(
            f"{path}: annotation {annotation.get('id')} {what}; a file of person keypoints "
            "(person_keypoints_SPLIT.json) is needed."
        )


def choose_ids(
    truth: COCO, wanted: Collection[str | int] | None = None, source: str = "the list"
) -> list[int]:
    """Image ids in ascending order: all, or those named by id, file name or stem.

    Args:
        wanted: names or ids.
        source: where they come from, for the message.

    Raises:
        UserError: the annotations do not have one of them.
    """
    if wanted is None:
        return sorted(truth.imgs)
    by_name: dict[str, int] = {}
    for image_id, info in truth.imgs.items():
        name = str(info["file_name"])
        by_name |= {str(image_id): image_id, name: image_id, Path(name).stem: image_id}
    unknown = [str(name) for name in wanted if str(name) not in by_name]
    if unknown:
        more = f" and {len(unknown) - 1} others" if len(unknown) > 1 else ""
        raise UserError(f"The annotations have no image {unknown[0]}{more}; check {source}.")
    return sorted({by_name[str(name)] for name in wanted})


def find_images(truth: COCO, folder: Path, ids: Sequence[int]) -> FoundImages:
    """Files of images, by their annotated name or by their id in COCO's 2017 or 2014 naming.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}; download the images or check --data.")
    by_name = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    by_id = {int(m[1]): path for name, path in by_name.items() if (m := COCO_NAME.fullmatch(name))}
    found, missing = [], []
    for image_id in ids:
        info = truth.imgs[image_id]
        name = str(info["file_name"])
        path = by_name.get(name) or by_id.get(image_id)
        if path is None and not leaves(name) and (folder / name).is_file():
            path = folder / name  # a name with a folder in it
        if path is None:
            missing.append(name)
        else:
            found.append(ImageFile(image_id, path, (int(info["height"]), int(info["width"]))))
    return FoundImages(tuple(found), tuple(missing))


def sha256_of(path: Path) -> str:
    """Of a file, in hexadecimal.

    Raises:
        UserError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from None
    return digest.hexdigest()
