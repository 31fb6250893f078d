"""The mask of a crop: regions without labels, which the loss ignores.

Regions are drawn straight into the crop's cells, so no mask is ever as large as the image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import cv2
import numpy as np

from train.data.annotations import AnnotatedImage, Region
from train.data.augment import from_resized

OVERSAMPLING = 4
"""Points per cell and axis at which the mask is drawn before it is averaged."""


def ignore_mask(labels: AnnotatedImage, matrix: np.ndarray, cells: int, stride: int) -> np.ndarray:
    """Draws the mask of a crop.

    People without keypoints and crowds minus the single people are ignored (the authors' rule);
    what lies outside the image is not.

    Args:
        labels: the image's regions.
        matrix: float (2, 3), image pixels → crop pixels.
        cells: width and height of the mask in cells.
        stride: crop pixels per cell.

    Returns:
        uint8 (cells, cells): 255 where labels can be trusted, 0 where not, between at edges.
    """
    unlabelled, crowds = labels.unlabelled, labels.crowds
    if labels.mask_path is None and not unlabelled and not crowds:
        return np.full((cells, cells), 255, np.uint8)
    side = cells * OVERSAMPLING
    to_fine = to_finer(matrix, OVERSAMPLING / stride)
    ignored = draw(unlabelled, to_fine, side, labels.size)
    if crowds:
        crowd = draw(crowds, to_fine, side, labels.size)
        crowd[draw(labels.single_people, to_fine, side, labels.size) > 0] = 0
        ignored |= crowd
    if labels.mask_path is not None:
        ignored |= warped_file(labels, to_fine, side)
    return 255 - cv2.resize(ignored, (cells, cells), interpolation=cv2.INTER_AREA)


def to_finer(matrix: np.ndarray, factor: float) -> np.ndarray:
    """The map followed by a resize, in pixel-centre coordinates: p → (p + 0.5) * factor - 0.5."""
    scaled = np.asarray(matrix, np.float64) * factor
    scaled[:, 2] += 0.5 * factor - 0.5
    return scaled


def draw(
    regions: Iterable[Region], matrix: np.ndarray, side: int, size: tuple[int, int]
) -> np.ndarray:
    """uint8 (side, side): 255 inside the regions of an image of (height, width) after the map."""
    canvas = np.zeros((side, side), np.uint8)
    for region in regions:
        for polygon in region.polygons:
            points = polygon @ matrix[:, :2].T + matrix[:, 2]
            # Far points are pulled in: fixed-point drawing would overflow.
            fixed = np.clip(points, -8 * side, 8 * side) * 16
            cv2.fillPoly(canvas, [fixed.round().astype(np.int32)], 255, shift=4)
        if region.rle is not None:
            mask = decode_rle(region.rle) * 255
            factor = np.divide(size, mask.shape)[::-1]  # an RLE may have another resolution
            canvas |= warp_mask(mask, from_resized(matrix, factor), side)
    return canvas


def decode_rle(rle: Mapping[str, Any]) -> np.ndarray:
    """A COCO RLE, compressed or not, as uint8 (height, width) of 0 and 1."""
    from pycocotools import mask as coco_mask

    if isinstance(rle["counts"], list):
        rle = coco_mask.frPyObjects(rle, *rle["size"])
    return coco_mask.decode(rle)


def warped_file(labels: AnnotatedImage, matrix: np.ndarray, side: int) -> np.ndarray:
    """A ready-made mask file (0 = ignore) as uint8 (side, side) with 255 = ignore."""
    mask = cv2.imread(str(labels.mask_path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        return np.zeros((side, side), np.uint8)
    return warp_mask((mask < 128).astype(np.uint8) * 255, matrix, side)


def warp_mask(mask: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """Warps a full-size mask of 0 and 255; outside it is 0."""
    return cv2.warpAffine(mask, matrix, (side, side), flags=cv2.INTER_NEAREST)
