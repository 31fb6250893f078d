"""The annotated images that are measured, and pycocotools' form of them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pose.errors import UserError
from train.data.annotations import AnnotatedImage, AnnotatedPerson, Annotations

if TYPE_CHECKING:
    from pycocotools.coco import COCO

PERSON = 1
"""COCO's category id of people."""


@dataclass(frozen=True)
class ChosenImages:
    """Images to measure.

    Attributes:
        images: those with a photo, by id.
        missing: file names of those without one.
    """

    images: tuple[AnnotatedImage, ...]
    missing: tuple[str, ...] = ()


def choose_images(
    annotations: Annotations,
    names: Collection[str | int] | None = None,
    limit: int | None = None,
    source: str = "the list",
) -> ChosenImages:
    """All images with a photo, or some of them.

    Args:
        names: only these, by id, file name or stem.
        limit: at most so many, those with the lowest ids.
        source: where the names come from, for the message.

    Raises:
        UserError: a name is unknown, no image has a photo, or nobody in them is labelled.
    """
    chosen = list(annotations.images)
    if names is not None:
        wanted = {str(name) for name in names}
        unknown = sorted(wanted.difference(*(image.names for image in chosen)))
        if unknown:
            more = f" and {len(unknown) - 1} others" if len(unknown) > 1 else ""
            raise UserError(f"The annotations have no image {unknown[0]}{more}; check {source}.")
        chosen = [image for image in chosen if wanted & image.names]
    missing = tuple(image.file_name for image in chosen if image.path is None)
    images = tuple(image for image in chosen if image.path is not None)[:limit]
    if not images:
        raise UserError(
            f"None of the {len(missing)} images has a photo, for instance {missing[0]}; download "
            "the photos or check the folder's name."
        )
    check_labelled(images)
    return ChosenImages(images, missing)


def check_labelled(images: Iterable[AnnotatedImage]) -> None:
    """Raises a UserError where nobody is labelled, as AP is undefined then."""
    if not any(image.labelled for image in images):
        raise UserError("Nobody is labelled in the chosen images; there is nothing to measure.")


def coco_ground_truth(images: Iterable[AnnotatedImage], min_keypoints: int = 1) -> COCO:
    """pycocotools' ground truth of some images.

    Args:
        min_keypoints: people with fewer neither count nor harm.
    """
    images = list(images)
    people = [(image, person) for image in images for person in image.people]
    return silent_coco(
        [{"id": i.image_id, "height": i.size[0], "width": i.size[1]} for i in images],
        # pycocotools takes id 0 for "no match".
        [coco_annotation(n, i, p, min_keypoints) for n, (i, p) in enumerate(people, start=1)],
    )


def silent_coco(images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> COCO:
    """A pycocotools `COCO`, without what it prints."""
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": PERSON, "name": "person"}],
        }
        coco.createIndex()
    return coco


def coco_annotation(
    number: int, image: AnnotatedImage, person: AnnotatedPerson, min_keypoints: int
) -> dict[str, Any]:
    """A person in COCO's form."""
    enough = person.num_keypoints >= min_keypoints
    return {
        "id": number,
        "image_id": image.image_id,
        "category_id": PERSON,
        "iscrowd": int(person.crowd),
        "bbox": list(person.box),
        "area": person.area,
        # COCO's evaluation ignores people with num_keypoints = 0.
        "num_keypoints": person.num_keypoints if enough else 0,
        "keypoints": np.nan_to_num(person.keypoints).ravel().tolist(),
    }
