"""Annotations that would train or measure nonsense are refused, with the field to correct."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pose.errors import UserError
from train.data.annotations import AnnotatedImage
from train.data.photo_files import PhotoHeader

FEW, MANY = 0.1, 0.3
"""Shares of photos or people: with fewer wrong photos than the first these are left out, with more
odd people than the second the whole file is wrong. COCO's own files have none."""

SLACK = 1.02
"""Labels may reach this far beyond a photo: annotators and rounding do."""


def check_units(
    file: Path, images: Sequence[AnnotatedImage], headers: Sequence[PhotoHeader | None]
) -> None:
    """Refuses coordinates that are not pixels, and boxes that are not x, y, width, height.

    Raises:
        UserError: see above.
    """
    sizes, boxes, starts, corners, inside = [], [], [], [], []
    for image, header in zip(images, headers, strict=True):
        # Whichever size is right, coordinates beyond the larger one are wrong.
        size = np.maximum(image.size, header.turned if header else (0, 0))[::-1]
        for person in image.labelled:
            points = person.keypoints[person.keypoints[:, 2] > 0, :2]
            low, extent = np.array(person.box[:2]), np.array(person.box[2:])
            margin = extent / 4 + 10
            sizes.append(size)
            boxes.append(person.box)
            starts.append(points.min(0))
            corners.append(points.max(0))
            within = (points >= low - margin) & (points <= low + extent + margin)
            inside.append(within.all(1).mean())
    size, box = np.array(sizes, float), np.array(boxes)
    start, corner = np.array(starts), np.array(corners)
    known = (size > 0).all(1)
    if (corner <= 1.5).all():
        raise UserError(
            f"{file}: all keypoints span one pixel, they seem to be shares of the photo's width "
            "and height; export them in pixels."
        )
    if len(box) > 4 and known.all() and (corner <= 100).all() and np.median(size) > 250:
        raise UserError(
            f"{file}: no keypoint lies beyond 100, they seem to be percentages of the photo's "
            "width and height; export them in pixels."
        )
    beyond = ((corner > size * SLACK + 2) | (start < size * (1 - SLACK) - 2)).any(1) & known
    if beyond.mean() > MANY:
        raise UserError(
            f'{file}: keypoints reach beyond the photo; "keypoints" are x, y, label in pixels of '
            "the photo as it is, from its top left corner."
        )
    far = (box[:, :2] + box[:, 2:] > size * SLACK + 2).any(1) & known
    as_corners = (box[:, 2:] > box[:, :2]) & (box[:, 2:] <= size * SLACK + 2)
    as_corners &= corner <= box[:, 2:] * SLACK + 10
    if far.mean() > 0.5 or (far.mean() >= FEW and as_corners.all(1).mean() > 1 - FEW):
        raise UserError(
            f'{file}: boxes reach beyond the photo; "bbox" is x, y, width, height, not the '
            "corners x1, y1, x2, y2."
        )
    if (np.array(inside) < 0.5).mean() > MANY:
        raise UserError(
            f"{file}: people's keypoints lie outside their boxes; "
            '"bbox" is x, y, width, height in the pixels of the photo.'
        )
