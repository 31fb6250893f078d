"""One COCO annotation → `AnnotatedPerson`, with what it does not say derived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pose.oks import AREA_SHARE
from train.data.annotations import AnnotatedPerson, Findings, Region
from train.data.keypoint_names import KeypointOrder
from train.data.masks import decode_rle

Box = tuple[float, float, float, float]


def read_person(
    entry: Mapping[str, Any],
    order: KeypointOrder,
    size: tuple[int, int],
    name: str,
    findings: Findings,
) -> AnnotatedPerson | None:
    """A person or a crowd; None where the annotation is empty or unusable.

    Args:
        size: (height, width) of the image as annotated, (0, 0) where unknown.
        name: of the annotation, for `findings`.
    """
    keypoints = read_keypoints(entry.get("keypoints"), order)
    if keypoints is None:
        findings.leave_out(f"annotations without {3 * order.count} numbers as keypoints", name)
        return None
    outline = read_outline(entry.get("segmentation"), size, name, findings)
    given = read_box(entry.get("bbox"))
    labelled = keypoints[keypoints[:, 2] > 0, :2]
    box = given or box_around(labelled, outline)
    if box is None:
        findings.leave_out("annotations with neither keypoints nor a box", name)
        return None
    if given is None:
        findings.adjust("boxes derived from the keypoints")
    area = positive(entry.get("area"))
    if area is None:
        area = outline_area(outline) or AREA_SHARE * box[2] * box[3]
        findings.adjust("areas derived from the outline or the box")
    crowd = str(entry.get("iscrowd") or 0).strip().lower() in ("1", "1.0", "true")
    return AnnotatedPerson(keypoints, box, area, outline or box_region(box), crowd)


def read_keypoints(values: Any, order: KeypointOrder) -> np.ndarray | None:
    """Float64 (17, 3) in COCO's order, NaN, NaN, 0 where missing; None for unusable numbers.

    Without a label above 0, without numbers, or at (0, 0) a keypoint is missing.
    """
    if values is None or (isinstance(values, list) and not values):
        values = [0] * (3 * order.count)
    try:
        numbers = np.asarray(values, float).reshape(-1)
    except (TypeError, ValueError):
        return None
    if numbers.size != 3 * order.count or np.isinf(numbers).any():
        return None
    keypoints = numbers.reshape(-1, 3)[list(order.places)]
    there = (keypoints[:, 2] > 0) & ~np.isnan(keypoints).any(1) & (keypoints[:, :2] != 0).any(1)
    keypoints[:, 2] = np.where(keypoints[:, 2] >= 2, 2, 1)
    keypoints[~there] = (np.nan, np.nan, 0)
    return keypoints


def read_box(values: Any) -> Box | None:
    """x, y, width, height; None where they are not four numbers with an extent."""
    try:
        x, y, width, height = (float(value) for value in values)
    except (TypeError, ValueError):
        return None
    usable = np.isfinite((x, y, width, height)).all() and width > 0 and height > 0
    return (x, y, width, height) if usable else None


def box_around(labelled: np.ndarray, outline: Region | None) -> Box | None:
    """The smallest box around keypoints (K, 2), else around an outline."""
    points = labelled
    if not len(points) and outline is not None and outline.polygons:
        points = np.concatenate(outline.polygons) + 0.5
    if not len(points):
        return None
    (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
    return (left, top, max(right - left, 1.0), max(bottom - top, 1.0))


def positive(value: Any) -> float | None:
    """A finite number above 0; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < float("inf") else None


def read_outline(
    segmentation: Any, size: tuple[int, int], name: str, findings: Findings
) -> Region | None:
    """The annotation's segmentation; None where there is none that can be used."""
    if not segmentation:
        return None
    try:
        if isinstance(segmentation, dict):
            if size == (0, 0) or tuple(segmentation["size"]) == size:
                return Region(rle=segmentation)
        else:
            # COCO's polygons count from the pixel's corner, keypoints from its centre.
            polygons = [np.asarray(p, np.float32).reshape(-1, 2) - 0.5 for p in segmentation]
            if all(len(p) >= 3 and np.isfinite(p).all() for p in polygons):
                return Region(polygons=tuple(polygons))
    except (TypeError, ValueError, KeyError):
        pass
    findings.leave_out("broken segmentations, whose boxes are used", name)
    return None


def outline_area(outline: Region | None) -> float | None:
    """Square pixels of an outline."""
    if outline is None:
        return None
    if outline.rle is not None:
        return float(decode_rle(outline.rle).sum()) or None
    area = 0.0
    for polygon in outline.polygons:
        x, y = polygon.T.astype(float)
        area += abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    return area or None


def box_region(box: Box) -> Region:
    """x, y, width, height as a region."""
    x, y, w, h = box
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], np.float32)
    return Region(polygons=(corners - 0.5,))
